"""Answers with something else than a proposal."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.PROPOSER, "proposer_other", ">=1.0,<2")


class Bad:
    async def propose(self, request):
        return {"skills": "1 1 1"}

    async def close(self): ...


@hookimpl
def gepa_make_proposer():
    return Bad()
