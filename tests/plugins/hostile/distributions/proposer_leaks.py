"""Leaves tasks behind that shrug off being cancelled."""

from __future__ import annotations

import asyncio

from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeProposer
from gepa_framework.types import Kind, PluginInfo


async def forever():
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            continue


plugin_info = PluginInfo(Kind.PROPOSER, "proposer_leaks", ">=1.0,<2")


class Bad(FakeProposer):
    async def propose(self, request):
        self.tasks = [*getattr(self, "tasks", []), asyncio.create_task(forever())]
        await asyncio.sleep(0)
        return await super().propose(request)


@hookimpl
def gepa_make_proposer():
    return Bad()
