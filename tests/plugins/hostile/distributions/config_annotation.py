"""Has a configuration class with an annotation that leads nowhere."""

from __future__ import annotations

import attrs

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo


@attrs.frozen
class Config:
    patience: Patience = 3  # noqa: F821


plugin_info = PluginInfo(Kind.STOPPER, "config_annotation", ">=1.0,<2", config=Config)


class Never:
    def check(self, view):
        return None


@hookimpl
def gepa_make_stopper():
    return Never()
