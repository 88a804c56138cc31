"""Is sound, and raises where another plugin has spoilt what it is given."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.STOPPER, "stopper_observes", ">=1.0,<2")


class Never:
    def check(self, view):
        return None


@hookimpl
def gepa_make_stopper(context):
    if "PATH" not in context.environ or context.settings["minibatch_size"] != 2:
        raise ValueError("somebody was here before")
    return Never()
