"""A clock whose time jumps: hours of waiting in no time, and always the same ones."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Deadlock(AssertionError):  # noqa: N818 - it is a finding of a test
    """Everybody waits, and nothing will ever happen."""


class VirtualClock:
    """Seconds that pass when they are told to, or when a coroutine that it runs waits for them.

    On the loop of `run`, ``asyncio.sleep``, ``asyncio.timeout`` and ``loop.call_later`` go by this clock.
    `time` is for code that takes a clock as argument. Real connections, threads and child processes must not
    be waited for there: their time is another one.

    Args:
        start: What it shows at first.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = start

    def time(self) -> float:
        """Give the seconds that it shows."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            ValueError: The number is negative: this clock never goes back.
        """
        if not seconds >= 0:
            raise ValueError(f"time passes forward, got {seconds!r} seconds")
        self._now += seconds

    def run(self, scene: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end; whenever all of it waits, the clock jumps to what comes next.

        Raises:
            Deadlock: Everybody waits for something that no time brings.
        """
        with asyncio.Runner(loop_factory=lambda: _Loop(self)) as runner:
            return runner.run(scene)


class _Jumping(selectors.SelectSelector):
    """Waits for nothing: lets the clock jump instead."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise Deadlock("everything waits, and no time will end it")
        self._clock.advance(max(timeout, 0.0))
        return []


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, clock: VirtualClock) -> None:
        self._virtual = clock
        super().__init__(_Jumping(clock))

    def time(self) -> float:
        return self._virtual.time()
