"""Raises when it is looked at."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.STOPPER, "raising_attribute", ">=1.0,<2")


class Plugin:
    @property
    def plugin_info(self):
        raise LookupError("not today")

    @hookimpl
    def gepa_make_stopper(self): ...


plugin = Plugin()
