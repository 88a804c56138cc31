"""Ends the process at each request, and when it is closed."""

from __future__ import annotations

import sys

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.PROPOSER, "proposer_exits", ">=1.0,<2")


class Bad:
    async def propose(self, request):
        sys.exit("out of ideas")

    async def close(self):
        sys.exit("out of here")


@hookimpl
def gepa_make_proposer():
    return Bad()
