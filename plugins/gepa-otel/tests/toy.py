"""A transport and a proposer as plugins: the task of the kit, with a failure here and there, and a model."""

from __future__ import annotations

import asyncio
import os
import signal
from itertools import count

import attrs

from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeProposer, FakeTransport
from gepa_framework.types import FailureKind, Kind, PluginInfo, RolloutFailure, Usage

SECRET_TEXT = "prose that nobody is to read"


class ToyTransport(FakeTransport):
    def __init__(self):
        super().__init__()
        self.numbers = count(1)

    async def rollout(self, request):
        if next(self.numbers) == int(os.environ.get("TOY_INTERRUPT", "0")):
            os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(float(os.environ.get("TOY_SECONDS", "0.002")))
        if request.row.id == "train:3":
            return RolloutFailure(FailureKind.CONTAINER, "broken", SECRET_TEXT)
        result = await super().rollout(request)
        return attrs.evolve(result, usage=Usage(7, 3, 10, 0.001))


class ToyProposer(FakeProposer):
    async def propose(self, request):
        proposal = await super().propose(request)
        return attrs.evolve(
            proposal,
            rationale=SECRET_TEXT,
            usage=Usage(100, 20, 120, 0.25),
            model="toy-1",
            requested_model="toy-1",
        )


@hookimpl
def gepa_make_transport(context):
    return ToyTransport()


class proposer:  # noqa: N801 - it takes the place of a module
    plugin_info = PluginInfo(Kind.PROPOSER, "toy", ">=1.0,<2", summary="Learns by arithmetic.")

    @staticmethod
    @hookimpl
    def gepa_make_proposer(context):
        return ToyProposer()


plugin_info = PluginInfo(Kind.TRANSPORT, "toy", ">=1.0,<2", summary="Is solved by arithmetic.")
