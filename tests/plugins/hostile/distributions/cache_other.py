"""Gives something else than bytes."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.CACHE, "cache_other", ">=1.0,<2")


class Bad:
    async def get(self, namespace, key):
        return {"reward": 1.0}

    async def put(self, namespace, key, value): ...

    async def close(self): ...


@hookimpl
def gepa_make_cache():
    return Bad()
