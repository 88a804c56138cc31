"""The heartbeat: tells operators what a run waits for when nothing has come of it for a while."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable

from gepa_framework.engine import Command, Propose, Rollout

_LOGGER = logging.getLogger(__name__)


class Heartbeat:
    """Logs a line when nothing has come in for so long, then after twice as long, and so on.

    Args:
        seconds: How long a silence passes without a word.
        waits: Says what the run waits for.
    """

    def __init__(self, seconds: float, waits: Callable[[], str]) -> None:
        self._seconds = seconds
        self._waits = waits
        self._latest = 0.0
        self._told = 0

    def beat(self) -> None:
        """Note that something has come in."""
        self._latest = asyncio.get_running_loop().time()
        self._told = 0

    async def watch(self) -> None:
        """Watch until cancelled."""
        clock = asyncio.get_running_loop().time
        self.beat()
        while True:
            # Not for longer: something may come in meanwhile, and the next silence is told of as early again.
            await asyncio.sleep(min(max(self._due() - clock(), 0.0), self._seconds))
            if clock() >= self._due():
                silent = clock() - self._latest
                self._told += 1
                _LOGGER.warning("nothing has come in for %.3g s: waiting for %s", silent, self._waits())

    def _due(self) -> float:
        return self._latest + self._seconds * float(2**self._told)


def waiting_words(commands: Iterable[Command]) -> str:
    """Say what a run waits for: how many of each sort, and the first of each."""
    counts: Counter[str] = Counter()
    first: dict[str, str] = {}
    for command in commands:
        sort = _sort(command)
        counts[sort] += 1
        first.setdefault(sort, command.effect_id)
    parts = (f"{number} {sort}{'s' * (number > 1)} ({first[sort]})" for sort, number in counts.items())
    return ", ".join(parts) or "nothing"


def _sort(command: Command) -> str:
    if isinstance(command, Rollout):
        return "rollout"
    return "proposal" if isinstance(command, Propose) else "set-up call"
