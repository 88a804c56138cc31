"""Promises something that this framework has never heard of, as a newer one may."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.STOPPER, "new_capability", ">=1.0,<2", capabilities=frozenset({"time_travel"}))


class Never:
    def check(self, view):
        return None


@hookimpl
def gepa_make_stopper():
    return Never()
