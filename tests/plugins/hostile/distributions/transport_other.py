"""Gives something else than rows."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeTransport
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.TRANSPORT, "transport_other", ">=1.0,<2")


class Bad(FakeTransport):
    async def rows(self, request):
        return [{"id": seed} for seed in request.seeds]


@hookimpl
def gepa_make_transport():
    return Bad()
