"""Has a configuration class that is none of attrs."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo


class Config:
    patience = 3


plugin_info = PluginInfo(Kind.STOPPER, "config_no_attrs", ">=1.0,<2", config=Config)


class Never:
    def check(self, view):
        return None


@hookimpl
def gepa_make_stopper():
    return Never()
