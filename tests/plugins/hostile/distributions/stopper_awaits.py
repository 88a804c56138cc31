"""Gives something to wait for where an answer is due."""

from __future__ import annotations

import asyncio

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.STOPPER, "stopper_awaits", ">=1.0,<2")


class Bad:
    def check(self, view):
        return self.later()

    async def later(self):
        await asyncio.sleep(0)


@hookimpl
def gepa_make_stopper():
    return Bad()
