"""Has a configuration class whose default cannot be made."""

from __future__ import annotations

import attrs

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo


def home():
    raise KeyError("HOME")


@attrs.frozen
class Config:
    home: str = attrs.field(factory=home)


plugin_info = PluginInfo(Kind.STOPPER, "config_default", ">=1.0,<2", config=Config)


class Never:
    def check(self, view):
        return None


@hookimpl
def gepa_make_stopper():
    return Never()
