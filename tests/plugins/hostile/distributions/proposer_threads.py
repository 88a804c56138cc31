"""Leaves a thread behind that never ends."""

from __future__ import annotations

import asyncio
import threading

from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeProposer
from gepa_framework.types import Kind, PluginInfo

RELEASE = threading.Event()

plugin_info = PluginInfo(Kind.PROPOSER, "proposer_threads", ">=1.0,<2")


class Bad(FakeProposer):
    async def propose(self, request):
        if not hasattr(self, "task"):
            self.task = asyncio.ensure_future(asyncio.to_thread(RELEASE.wait))
            await asyncio.sleep(0)
        return await super().propose(request)


@hookimpl
def gepa_make_proposer():
    return Bad()
