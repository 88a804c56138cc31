"""Has a summary that is no text."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.STOPPER, "odd_summary", ">=1.0,<2", summary=7)


class Never:
    def check(self, view):
        return None


@hookimpl
def gepa_make_stopper():
    return Never()
