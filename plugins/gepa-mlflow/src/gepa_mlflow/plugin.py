"""What the framework finds by the entry point ``mlflow``. It does not import MLflow, which takes seconds."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import BuildContext, Kind, PluginInfo
from gepa_mlflow.config import MlflowConfig
from gepa_mlflow.listener import MlflowListener

plugin_info = PluginInfo(
    kind=Kind.LISTENER,
    name="mlflow",
    api=">=1.0,<2",
    config=MlflowConfig,
    summary="Records the run in MLflow: parameters, metrics, the best candidate.",
)


@hookimpl
def gepa_make_listener(config: MlflowConfig, context: BuildContext) -> MlflowListener:
    """Build the listener; nothing is opened before the first event."""
    return MlflowListener(config, context)
