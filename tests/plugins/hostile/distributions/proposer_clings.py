"""Never ends to close, and shrugs off being stopped."""

from __future__ import annotations

import asyncio

from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeProposer
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.PROPOSER, "proposer_clings", ">=1.0,<2")


class Bad(FakeProposer):
    async def close(self):
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue


@hookimpl
def gepa_make_proposer():
    return Bad()
