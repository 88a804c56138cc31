"""Forgot to mark its hook."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.STOPPER, "no_hook", ">=1.0,<2")


@hookimpl
def gepa_make_listener(config): ...


def gepa_make_stopper(config): ...
