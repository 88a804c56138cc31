"""The crew: tasks that carry out the commands that the lanes let begin."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from gepa_framework.engine import Command
from gepa_framework.engine.lanes import Lanes

R = TypeVar("R")
#: How long work that was stopped may take to clear up.
GRACE_SECONDS = 30.0
#: How long it may take when everything ends.
_FAREWELL_SECONDS = 5.0
_LOGGER = logging.getLogger(__name__)


class Crew(Generic[R]):
    """Carries commands out side by side, in the order and number that the lanes say.

    A worker goes from one command to the next as long as there is one, and where several may begin, one goes
    as far as it gets before others are employed: so many instant commands cost one task and not many.

    Args:
        lanes: Which command begins when.
        work: What is done with each; must not raise.
        deliver: Takes what came of it, unless nobody wants it any more.
        idle: Called when nothing is under way any more.
        lost: Given each command whose work cannot be stopped, before its place is given away.
        grace_seconds: How long stopped work may take to clear up before its place is given away.
    """

    def __init__(
        self,
        lanes: Lanes,
        work: Callable[[Command], Awaitable[R]],
        deliver: Callable[[Command, R], None],
        idle: Callable[[], None] = lambda: None,
        *,
        lost: Callable[[Command], None] = lambda _: None,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self._lanes = lanes
        self._work = work
        self._deliver = deliver
        self._idle = idle
        self._lost = lost
        self._grace = grace_seconds
        self._doing: dict[asyncio.Task[None], Command] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._unwanted: set[str] = set()
        self._strays: set[asyncio.Task[None]] = set()
        self._paused = False
        self._beginning = False

    @property
    def busy(self) -> int:
        """How many workers there are."""
        return len(self._doing)

    def offer(self, commands: Iterable[Command]) -> None:
        """Take commands on; those that have a place begin."""
        for command in commands:
            self._lanes.offer(command)
        self._begin()

    def resize(self, lane: str, width: int) -> None:
        """Set how many commands of a lane may be under way at once."""
        self._lanes.resize(lane, width)
        self._begin()

    def withdraw(self, effect_ids: Sequence[str]) -> tuple[str, ...]:
        """Forget commands that wait; give those under way, whose outcomes nobody wants from now on."""
        begun, _ = self._lanes.withdraw(effect_ids)
        self._unwanted.update(begun)
        return begun

    def stop(self, effect_ids: Iterable[str]) -> None:
        """Stop commands under way. One that does not end in time loses its place to the next."""
        for name in effect_ids:
            if (task := self._tasks.get(name)) is not None:
                task.cancel()
                asyncio.get_running_loop().call_later(self._grace, self._insist, task, name)

    def _insist(self, task: asyncio.Task[None], name: str) -> None:
        if self._tasks.get(name) is task:
            self.give_up(task)

    def give_up(self, task: asyncio.Task[None]) -> Command | None:
        """Give the place of a worker that cannot be stopped to another; give the command that it was at.

        Whatever it comes to is ignored. ``None`` where the outcome is unwanted, or the task is no worker.
        """
        command = self._doing.get(task)
        if command is None:
            return None
        _LOGGER.warning(
            "%s does not end although it was stopped; the run goes on without it", command.effect_id
        )
        wanted = self._leave(command)
        del self._doing[task]
        self._strays.add(task)
        self._lost(command)
        self._begin()
        return command if wanted else None

    def pause(self) -> None:
        """Begin nothing more."""
        self._paused = True

    def _begin(self) -> None:
        """Have one worker begin, and the others as soon as it waits for something."""
        for command in self._following(most=1):
            self._employ(command)
        if self._lanes.any_waiting and not self._beginning:
            self._beginning = True
            asyncio.get_running_loop().call_soon(self._begin_now)

    def _begin_now(self) -> None:
        self._beginning = False
        for command in self._following():
            self._employ(command)

    def _following(self, most: int | None = None) -> list[Command]:
        return [] if self._paused else self._lanes.begin(most)

    def _employ(self, command: Command) -> None:
        task = asyncio.create_task(self._drain(command))
        self._enter(task, command)
        task.add_done_callback(self._ended)

    def _enter(self, task: asyncio.Task[None], command: Command) -> None:
        self._doing[task] = command
        self._tasks[command.effect_id] = task

    def _leave(self, command: Command) -> bool:
        """Give the place of a command back; tell whether its outcome is wanted."""
        name = command.effect_id
        del self._tasks[name]
        self._lanes.end(name)
        if name not in self._unwanted:
            return True
        self._unwanted.discard(name)
        return False

    async def _drain(self, command: Command) -> None:
        task = asyncio.current_task()
        if task is None:
            raise AssertionError("workers are tasks")
        while not self._paused:
            given = await self._work(command)
            if task not in self._doing:
                return  # it was given up meanwhile
            if self._leave(command):
                self._deliver(command, given)
            if task.cancelling():
                # Work that shrugs its revocation off leaves a worker that looks cancelled for good.
                del self._doing[task]
                self._begin()
                return
            if not (following := self._following(most=1)):
                del self._doing[task]
                return
            # Others have begun already, or are about to: one place is free now, and this worker takes it.
            (command,) = following
            self._enter(task, command)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._strays.discard(task)
        if (command := self._doing.pop(task, None)) is not None:
            # It was cancelled, and leaves the commands behind it to another; or nothing begins any more.
            self._leave(command)
            self._begin()
        if not self._doing:
            self._idle()

    async def settle(self, seconds: float) -> None:
        """Wait for what is under way, then stop what still is, within a bounded time."""
        self.pause()
        if self._doing:
            await asyncio.wait(tuple(self._doing), timeout=seconds)
        left = {*self._doing, *self._strays}
        for task in left:
            task.cancel()
        if left:
            _, left = await asyncio.wait(left, timeout=_FAREWELL_SECONDS)
        for task in left:
            self.give_up(task)
            disown(task)


def disown(task: asyncio.Task[Any]) -> None:
    """Have the loop close without a task that cannot be stopped: it would be waited for, for ever."""
    asyncio.tasks._unregister_task(task)  # noqa: SLF001 - how a task is hidden from all_tasks is documented
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 - it was told of already
