"""The gate before the container: as much at once as it bears, and nothing while it asks for patience."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from gepa_framework.runtime.aimd import Aimd
from gepa_framework.runtime.retry import LONGEST_WAIT
from gepa_framework.types import RolloutFailure, RolloutOutcome, RolloutResult

#: Refusals that come before any work is done: whoever gets one has used up nothing.
TURNED_AWAY: Final = frozenset({429, 503, 529})
#: Lines of one sort are this many seconds apart at least.
_QUIET_SECONDS: Final = 30.0
_LOGGER = logging.getLogger(__name__)


class Gate:
    """Lets rollouts through, first come first served.

    Args:
        aimd: How many may be through at once.
        resized: Called with the width whenever it changes.
    """

    def __init__(self, aimd: Aimd, resized: Callable[[int], None] = lambda _: None) -> None:
        self._aimd = aimd
        self.resized = resized
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._closed_until = 0.0
        self._closed = False
        self._told: dict[str, float] = {}

    @property
    def width(self) -> int:
        """How many may be through at once."""
        return self._aimd.width

    def enter_at_once(self) -> int | None:
        """Give what `enter` gives where there is a place, as there nearly always is; if not, ``None``."""
        if self._closed or self._inside >= self._aimd.width:
            return None
        self._inside += 1
        return self._aimd.epoch

    async def enter(self) -> int:
        """Wait for a place; give what `leave` asks for."""
        epoch = self.enter_at_once()
        if epoch is None:
            await self._queue()
            epoch = self._aimd.epoch
        return epoch

    async def _queue(self) -> None:
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():
                # It was let in at that very moment.
                self._inside -= 1
                self._admit()
            raise

    def _admit(self) -> None:
        while self._waiting and not self._closed and self._inside < self._aimd.width:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                self._inside += 1

    def leave(self, epoch: int, outcome: RolloutOutcome | None) -> bool:
        """Give the place back; tell whether the rollout was refused for no fault of its own.

        Args:
            epoch: What `enter` gave.
            outcome: What came of the request; ``None`` for nothing.
        """
        self._inside -= 1
        blameless = False
        if isinstance(outcome, RolloutResult):
            if self._aimd.succeeded(epoch):
                self.resized(self.width)
        elif outcome is not None:
            blameless = self._refused(epoch, outcome)
        self._admit()
        return blameless

    def _refused(self, epoch: int, failure: RolloutFailure) -> bool:
        if failure.retry_after_seconds:
            self._close(min(failure.retry_after_seconds, LONGEST_WAIT))
        if failure.http_status not in self._aimd.rule.overload:
            return False
        before = self.width
        if self._aimd.overloaded(epoch):
            self.resized(self.width)
            self._tell(
                "width",
                f"the container is overloaded ({failure.code}): rollouts at once are now {self.width} "
                f"instead of {before}",
            )
        return before > self._aimd.rule.min or failure.http_status in TURNED_AWAY

    def _close(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        if until <= self._closed_until:
            return
        self._closed_until = until
        if not self._closed:
            self._closed = True
            loop.call_at(until, self._open)
            self._tell("patience", f"the container asks for {seconds:.3g} s of patience: no rollout is sent")

    def _open(self) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() < self._closed_until:
            loop.call_at(self._closed_until, self._open)
            return
        self._closed = False
        self._admit()

    def _tell(self, sort: str, text: str) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._told.get(sort, now):
            self._told[sort] = now + _QUIET_SECONDS
            _LOGGER.warning("%s", text)
