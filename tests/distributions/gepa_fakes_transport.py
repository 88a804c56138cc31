"""A transport that serves the skill task and notes every rollout that it is asked for."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import attrs

from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeTransport
from gepa_framework.types import (
    BuildContext,
    FailureKind,
    Kind,
    PluginInfo,
    RolloutFailure,
    RolloutOutcome,
    RolloutRequest,
    Transport,
)


@attrs.frozen
class FakeTransportConfig:
    """What the fake does."""

    log: str | None = None
    delay_seconds: float = 0.0
    failing_share: float = 0.0


class LoggingTransport(FakeTransport):
    """Writes rollout ids to a file, so that they survive the process."""

    def __init__(self, config: FakeTransportConfig, context: BuildContext) -> None:
        super().__init__()
        self._config = config
        self._log = Path(context.base_dir, config.log) if config.log else None

    async def rollout(self, request: RolloutRequest) -> RolloutOutcome:
        """Score at once, or after a delay that depends on the rollout."""
        if self._log is not None:
            with self._log.open("a") as log:
                log.write(f"{request.rollout_id} {request.row.id} {request.poll_first}\n")
        lot = hashlib.sha256(f"{request.candidate.id}{request.row.id}".encode()).digest()[0] / 256
        if self._config.delay_seconds:
            await asyncio.sleep(self._config.delay_seconds * lot)
        if lot < self._config.failing_share:
            return RolloutFailure(FailureKind.CONTAINER, "unlucky", "the lot fell on it")
        return await super().rollout(request)


plugin_info = PluginInfo(
    kind=Kind.TRANSPORT,
    name="fake",
    api=">=1.0,<2",
    config=FakeTransportConfig,
    summary="Serves the skill task.",
)


@hookimpl
def gepa_make_transport(config: FakeTransportConfig, context: BuildContext) -> Transport:
    """Build it."""
    return LoggingTransport(config, context)
