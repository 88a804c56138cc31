"""Implements a hook that does not exist."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.STOPPER, "unknown_hook", ">=1.0,<2")


@hookimpl
def gepa_make_stoper(config): ...
