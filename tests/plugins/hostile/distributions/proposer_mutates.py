"""Changes what it was asked, as far as that can be changed."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeProposer
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.PROPOSER, "proposer_mutates", ">=1.0,<2")
TRIED = []


def spoil(value):
    """Change everything below a value that lets itself be changed."""
    TRIED.append(value)
    for key in list(value) if hasattr(value, "keys") else []:
        spoil(value[key])
        try:
            value[key] = "spoilt"
        except TypeError:
            continue


class Bad(FakeProposer):
    async def propose(self, request):
        answer = await super().propose(request)
        for frame in request.evidence:
            for value in (frame.inputs, frame.feedback, frame.side_info, frame.objectives, frame.metrics):
                spoil(value)
        for value in (request.parent.components, request.task, request.program.seed, request.program.raw):
            spoil(value)
        return answer


@hookimpl
def gepa_make_proposer():
    return Bad()
