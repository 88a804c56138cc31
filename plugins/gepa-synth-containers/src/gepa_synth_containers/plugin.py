"""What the framework finds by the entry point ``synth_containers``."""

from __future__ import annotations

from gepa_framework.errors import ConfigError, Problem
from gepa_framework.hookspecs import hookimpl
from gepa_framework.net import secrets_of
from gepa_framework.types import BuildContext, Capability, Kind, PluginInfo
from gepa_synth_containers.config import SynthContainersConfig
from gepa_synth_containers.process import known_secrets
from gepa_synth_containers.transport import SynthContainersTransport

plugin_info = PluginInfo(
    kind=Kind.TRANSPORT,
    name="synth_containers",
    api=">=1.0,<2",
    config=SynthContainersConfig,
    capabilities=frozenset({Capability.CONCURRENT}),
    summary="Speaks to synth-containers task containers over HTTP, and starts them where told how.",
)


def _bearer(config: SynthContainersConfig, context: BuildContext) -> str:
    if config.auth_bearer_env is None:
        return ""
    token = context.environ.get(config.auth_bearer_env, "")
    if token:
        return token
    message = f"names the environment variable {config.auth_bearer_env}, which is not set"
    problem = Problem("auth_bearer_env", message, "set it, or drop the key")
    raise ConfigError(str(problem), problems=(problem,))


@hookimpl
def gepa_make_transport(config: SynthContainersConfig, context: BuildContext) -> SynthContainersTransport:
    """Build the transport; nothing is opened before its first call."""
    token = _bearer(config, context)
    authorization = {"authorization": f"Bearer {token}"} if token else {}
    secrets = known_secrets(secrets_of(context.environ), secrets_of(config.headers), (token,))
    return SynthContainersTransport(
        config, context, headers={**config.headers, **authorization}, secrets=secrets
    )
