"""Says that it is of another kind than its entry point."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.CACHE, "wrong_kind", ">=1.0,<2")


class Never:
    def check(self, view):
        return None


@hookimpl
def gepa_make_stopper():
    return Never()
