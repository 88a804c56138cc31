"""Raises at each rollout."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeTransport
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.TRANSPORT, "transport_raises", ">=1.0,<2")


class Bad(FakeTransport):
    async def rollout(self, request):
        raise ValueError(f"no {request.stage}, please")


@hookimpl
def gepa_make_transport():
    return Bad()
