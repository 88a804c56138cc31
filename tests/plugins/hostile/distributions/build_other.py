"""Builds something else."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.STOPPER, "build_other", ">=1.0,<2")


@hookimpl
def gepa_make_stopper():
    return {"patience": 3}
