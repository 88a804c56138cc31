"""Answers at once where something to wait for is due."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo, Proposal

plugin_info = PluginInfo(Kind.PROPOSER, "proposer_sync", ">=1.0,<2")


class Bad:
    def propose(self, request):
        return Proposal({"skills": "1"})

    async def close(self): ...


@hookimpl
def gepa_make_proposer():
    return Bad()
