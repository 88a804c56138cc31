"""Cancels whoever tells it something."""

from __future__ import annotations

import asyncio

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.LISTENER, "listener_cancels", ">=1.0,<2")


class Bad:
    def on_event(self, event):
        raise asyncio.CancelledError

    def close(self): ...


@hookimpl
def gepa_make_listener():
    return Bad()
