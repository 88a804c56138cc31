"""Builds something else, which cannot even be shown."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.STOPPER, "build_unshowable", ">=1.0,<2")


class Shy:
    def __repr__(self):
        raise ValueError("do not look")


@hookimpl
def gepa_make_stopper():
    return Shy()
