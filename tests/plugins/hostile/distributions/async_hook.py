"""Builds in a coroutine."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.STOPPER, "async_hook", ">=1.0,<2")


@hookimpl
async def gepa_make_stopper(): ...
