"""Raises instead of running anything."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.EXECUTOR, "executor_raises", ">=1.0,<2")


class Bad:
    async def submit(self, call):
        raise ValueError("closed on Mondays")

    async def drain(self): ...

    async def close(self): ...


@hookimpl
def gepa_make_executor():
    return Bad()
