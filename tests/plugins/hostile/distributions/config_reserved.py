"""Claims a key that is the framework's own."""

from __future__ import annotations

import attrs

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo


@attrs.frozen
class Config:
    use: str = "mine"


plugin_info = PluginInfo(Kind.STOPPER, "config_reserved", ">=1.0,<2", config=Config)


class Never:
    def check(self, view):
        return None


@hookimpl
def gepa_make_stopper():
    return Never()
