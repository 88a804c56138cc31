"""A task of two components, with rollouts that cost money, fail, or fail at first; all are noted."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import attrs

from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeTransport
from gepa_framework.types import (
    BuildContext,
    ComponentSpec,
    FailureKind,
    Kind,
    PluginInfo,
    Program,
    RolloutFailure,
    RolloutOutcome,
    RolloutRequest,
    RolloutResult,
    Transport,
    Usage,
)


@attrs.frozen
class PartsConfig:
    """Where rollouts are noted, and which shares of them fail: for good, and in one attempt."""

    log: str
    failing_share: float = 0.0
    flaky_share: float = 0.0


def lot(*parts: object) -> float:
    """Give a number in [0, 1) that is the same each time."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).digest()[0] / 256


class Parts(FakeTransport):
    """Odd rows need the component ``odd``, even ones ``even``."""

    def __init__(self, config: PartsConfig, log: Path) -> None:
        super().__init__()
        self._config, self._log = config, log

    async def program(self) -> Program:
        parts = (ComponentSpec("even"), ComponentSpec("odd"))
        return Program("parts", "parts", parts, ("even", "odd"), {"even": "0", "odd": "0"})

    async def rollout(self, request: RolloutRequest) -> RolloutOutcome:
        with self._log.open("a") as log:
            log.write(f"{request.rollout_id} {request.poll_first}\n")
        drawn = lot(request.candidate.id, request.row.id)
        # Some take longer than others, so that several are under way.
        for _ in range(int(drawn * 8)):
            await asyncio.sleep(0)
        usage = Usage(100, 10, 110, 0.01)
        if drawn < self._config.failing_share:
            return RolloutFailure(FailureKind.CONTAINER, "unlucky", "it never works", usage=usage)
        if lot(request.rollout_id) < self._config.flaky_share:
            return RolloutFailure(FailureKind.CONTAINER, "flaky", "this time", retryable=True, usage=usage)
        level = int(request.candidate.components["odd" if request.row.seed % 2 else "even"])
        return RolloutResult(reward=level / 16, output=level, usage=usage)


plugin_info = PluginInfo(
    kind=Kind.TRANSPORT, name="parts", api=">=1.0,<2", config=PartsConfig, summary="Serves two parts."
)


@hookimpl
def gepa_make_transport(config: PartsConfig, context: BuildContext) -> Transport:
    """Build it."""
    return Parts(config, Path(context.base_dir, config.log))
