"""Has a name that is not ASCII, and is sound otherwise."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.STOPPER, "größe", ">=1.0,<2")


class Never:
    def check(self, view):
        return None


@hookimpl
def gepa_make_stopper():
    return Never()
