"""Lanes: commands of one sort, so many at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable

from gepa_framework.engine import Command

Work = Callable[[Command], Awaitable[None]]


class Lane:
    """Runs commands in the order they come, up to a number side by side.

    Args:
        width: How many may be under way at once.
        work: What is done with each; must not raise.
    """

    def __init__(self, width: int, work: Work) -> None:
        self._width = width
        self._work = work
        self._queue: deque[Command] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._current: dict[str, asyncio.Task[None]] = {}
        self._paused = False

    def submit(self, command: Command) -> None:
        """Take one more command."""
        self._queue.append(command)
        self._spawn()

    def _spawn(self) -> None:
        if self._queue and len(self._tasks) < self._width and not self._paused:
            task = asyncio.create_task(self._drain())
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        # A worker that was cancelled leaves the commands behind it to another.
        self._spawn()

    async def _drain(self) -> None:
        task = asyncio.current_task()
        while self._queue and not self._paused:
            command = self._queue.popleft()
            if task is not None:
                self._current[command.effect_id] = task
            try:
                await self._work(command)
            finally:
                self._current.pop(command.effect_id, None)
            if task is not None and task.cancelling():
                # Work that shrugs its revocation off leaves a worker that looks cancelled for good.
                return

    def revoke(self, effect_ids: Iterable[str]) -> None:
        """Forget commands that wait, and stop those under way."""
        unwanted = set(effect_ids)
        self._queue = deque(command for command in self._queue if command.effect_id not in unwanted)
        for effect_id in unwanted & self._current.keys():
            self._current[effect_id].cancel()

    def pause(self) -> None:
        """Begin nothing more."""
        self._paused = True

    async def settle(self, seconds: float) -> None:
        """Wait for what is under way, then stop what still is."""
        self.pause()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
