"""Cancels whoever asks it."""

from __future__ import annotations

import asyncio

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.STOPPER, "stopper_cancels", ">=1.0,<2")


class Bad:
    def check(self, view):
        raise asyncio.CancelledError


@hookimpl
def gepa_make_stopper():
    return Bad()
