"""A transport of the skill task that does what the file ``script`` says, once: ``WORD ROLLOUT``."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
from pathlib import Path

import attrs

from gepa_framework.errors import ContainerGoneError
from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeTransport
from gepa_framework.types import (
    BuildContext,
    FailureKind,
    Kind,
    NoConfig,
    PluginInfo,
    RolloutFailure,
    RolloutOutcome,
    RolloutRequest,
    Transport,
    Usage,
)

_PRICE = Usage(prompt_tokens=10, completion_tokens=5, total_tokens=15, cost_usd=0.000_25)


class ScriptedTransport(FakeTransport):
    def __init__(self, script: Path) -> None:
        super().__init__()
        self._script = script

    async def rollout(self, request: RolloutRequest) -> RolloutOutcome:
        outcome = await super().rollout(request)
        if self._script.exists():
            word, at = self._script.read_text().split()
            if len(self.asked) >= int(at):
                self._script.unlink()
                if word == "kill":
                    await _recorded(self._script.parent / "mlflow.db")
                    os.kill(os.getpid(), signal.SIGKILL)
                elif word == "interrupt":
                    os.kill(os.getpid(), signal.SIGINT)
                elif word == "gone":
                    raise ContainerGoneError("the container is gone")
                else:
                    return RolloutFailure(FailureKind.CONTAINER, "unlucky", "the lot fell on it")
        return attrs.evolve(outcome, usage=_PRICE)


async def _recorded(database: Path) -> None:
    """Wait until something of the run is in MLflow."""
    async with asyncio.timeout(60):
        with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            while not connection.execute(  # noqa: ASYNC110 - another thread writes there
                "SELECT 1 FROM tags WHERE key = 'gepa.last_event' AND value <> '0'"
            ).fetchone():
                await asyncio.sleep(0.05)


plugin_info = PluginInfo(
    kind=Kind.TRANSPORT, name="scripted", api=">=1.0,<2", summary="Serves the skill task."
)


@hookimpl
def gepa_make_transport(config: NoConfig, context: BuildContext) -> Transport:
    """Build it."""
    return ScriptedTransport(context.base_dir / "script")
