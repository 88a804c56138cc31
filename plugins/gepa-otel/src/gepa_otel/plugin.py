"""What the framework finds by the entry point ``otel``."""

from __future__ import annotations

from collections.abc import Mapping

from gepa_framework.errors import ConfigError, Problem
from gepa_framework.hookspecs import hookimpl
from gepa_framework.net import Redactor
from gepa_framework.types import BuildContext, Kind, Listener, PluginInfo
from gepa_otel.config import OtelConfig
from gepa_otel.ids import is_traced
from gepa_otel.listener import Deaf, OtelListener
from gepa_otel.spans import Address, Sink
from gepa_otel.starts import Starts

_PATH = "/v1/traces"
_DEFAULT = "http://localhost:4318"

plugin_info = PluginInfo(
    kind=Kind.LISTENER,
    name="otel",
    api=">=1.0,<2",
    config=OtelConfig,
    summary="Sends a run as an OpenTelemetry trace, with a span for each effect.",
)


@hookimpl
def gepa_make_listener(config: OtelConfig, context: BuildContext) -> Listener:
    """Build the listener; nothing is opened before the first span."""
    headers = _headers(config, context.environ)
    address = Address(traces_url(config, context.environ), headers, config.timeout_seconds)
    service = config.service_name or context.environ.get("OTEL_SERVICE_NAME") or "gepa"
    redactor = Redactor(address.secrets)

    def warn(text: str) -> None:
        context.logger.warning("%s", context.redact(redactor(text)))

    def open_outlet() -> Sink:
        # The exporter brings an HTTP client that looks at the network when it is imported.
        from gepa_otel.outlet import Outlet  # noqa: PLC0415

        return Outlet(
            context.run_id,
            address,
            service=service,
            queue_size=config.queue_size,
            close_seconds=config.close_seconds,
            warn=warn,
        )

    if not is_traced(context.run_id, config.sampling_ratio):
        return Deaf()
    return OtelListener(context.run_id, open_outlet, Starts(context.run_dir), texts=config.capture_texts)


def traces_url(config: OtelConfig, environ: Mapping[str, str]) -> str:
    """Give the address for traces: the configuration's, the environment's, or one on this machine."""
    if config.endpoint is None and (whole := environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")):
        return whole
    base = config.endpoint or environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or _DEFAULT
    base = base.rstrip("/")
    return base if base.endswith(_PATH) else base + _PATH


def _headers(config: OtelConfig, environ: Mapping[str, str]) -> dict[str, str]:
    found, problems = {}, []
    for header, variable in config.headers_env.items():
        if value := environ.get(variable, ""):
            found[header] = value
        else:
            message = f"names the environment variable {variable}, which is not set"
            problems.append(Problem(f"headers_env.{header}", message, "set it, or drop the key"))
    if problems:
        raise ConfigError("; ".join(map(str, problems)), problems=tuple(problems))
    return found
