"""Changes the rows, candidates and policies that it is given, and the answers that it gave."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeTransport
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.TRANSPORT, "transport_mutates", ">=1.0,<2")


class Bad(FakeTransport):
    def __init__(self):
        super().__init__()
        self.given = []

    async def rollout(self, request):
        outcome = await super().rollout(request)
        self.given.append(outcome)
        earlier = (each.feedback for each in self.given)
        for mapping in (request.row.data, request.candidate.components, request.policy, *earlier):
            try:
                mapping["topic"] = mapping["skills"] = 0
            except TypeError:
                continue
        return outcome


@hookimpl
def gepa_make_transport():
    return Bad()
