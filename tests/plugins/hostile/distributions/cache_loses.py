"""Raises when it is to keep something."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.CACHE, "cache_loses", ">=1.0,<2")


class Bad:
    async def get(self, namespace, key):
        return None

    async def put(self, namespace, key, value):
        raise OSError("not my disk")

    async def close(self):
        raise OSError("not my door")


@hookimpl
def gepa_make_cache():
    return Bad()
