"""Builds what answers in a coroutine where an answer is due."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.STOPPER, "build_async", ">=1.0,<2")


class Later:
    async def check(self, view):
        return None


@hookimpl
def gepa_make_stopper():
    return Later()
