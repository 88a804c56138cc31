"""Raises when it is asked what it is."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeTransport
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.TRANSPORT, "transport_describe", ">=1.0,<2")


class Bad(FakeTransport):
    async def describe(self):
        raise ValueError("who wants to know?")


@hookimpl
def gepa_make_transport():
    return Bad()
