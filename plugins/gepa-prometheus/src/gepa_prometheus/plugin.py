"""What the framework finds by the entry point ``prometheus``."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import BuildContext, Kind, PluginInfo
from gepa_prometheus.config import PrometheusConfig
from gepa_prometheus.listener import PrometheusListener

plugin_info = PluginInfo(
    kind=Kind.LISTENER,
    name="prometheus",
    api=">=1.0,<2",
    config=PrometheusConfig,
    summary="Tells Prometheus where a run stands.",
)


@hookimpl
def gepa_make_listener(config: PrometheusConfig, context: BuildContext) -> PrometheusListener:
    """Build the listener; nothing is opened before the first event."""
    return PrometheusListener(config, context)
