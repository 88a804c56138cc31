"""Raises at each request."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.PROPOSER, "proposer_raises", ">=1.0,<2")


class Bad:
    async def propose(self, request):
        raise ValueError("out of ideas")

    async def close(self): ...


@hookimpl
def gepa_make_proposer():
    return Bad()
