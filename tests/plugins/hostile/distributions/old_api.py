"""Was written for an API of long ago."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.STOPPER, "old_api", ">=0.1,<1")


class Never:
    def check(self, view):
        return None


@hookimpl
def gepa_make_stopper():
    return Never()
