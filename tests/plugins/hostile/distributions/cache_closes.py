"""Ends the process when it is closed."""

from __future__ import annotations

import sys

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.CACHE, "cache_closes", ">=1.0,<2")


class Bad:
    async def get(self, namespace, key):
        return None

    async def put(self, namespace, key, value): ...

    async def close(self):
        sys.exit("not yet")


@hookimpl
def gepa_make_cache():
    return Bad()
