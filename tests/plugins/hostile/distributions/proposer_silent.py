"""Never answers."""

from __future__ import annotations

import asyncio

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.PROPOSER, "proposer_silent", ">=1.0,<2")


class Bad:
    async def propose(self, request):
        await asyncio.Event().wait()

    async def close(self): ...


@hookimpl
def gepa_make_proposer():
    return Bad()
