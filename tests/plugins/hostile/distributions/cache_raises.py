"""Raises when it is asked."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.CACHE, "cache_raises", ">=1.0,<2")


class Bad:
    async def get(self, namespace, key):
        raise ValueError("where did I put it?")

    async def put(self, namespace, key, value): ...

    async def close(self): ...


@hookimpl
def gepa_make_cache():
    return Bad()
