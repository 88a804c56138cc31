"""How long a call of a plugin may take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import attrs

from gepa_framework.errors import GepaError

#: How long a call that was stopped may take to clear up.
GRACE_SECONDS = 30.0


class NoAnswerError(GepaError):
    """A call of a plugin took too long and was stopped."""


@attrs.frozen
class CallLimits:
    """Seconds that one call may take.

    Attributes:
        rollout: An attempt at a rollout.
        other: A proposal or a set-up call.
        grace: How long a call that was stopped may take to clear up.
    """

    rollout: float = 3600.0
    other: float = 3600.0
    grace: float = GRACE_SECONDS


@attrs.define(eq=False)
class OpenCall:
    """A call under way.

    Attributes:
        task: The task that it runs in.
        seconds: How long it may take.
        deadline: When it is looked at, by the loop's clock.
        overdue: It has taken too long, and was stopped.
    """

    task: asyncio.Task[Any]
    seconds: float
    deadline: float
    overdue: bool = False


class Watch:
    """Watches calls of plugins under way. One timer serves all: an instant call costs next to nothing.

    Args:
        grace: How long a call that was stopped may take to clear up.
        silent: Called with the task of a call that did not end for all that.
    """

    def __init__(self, grace: float, silent: Callable[[asyncio.Task[Any]], object] = lambda _: None) -> None:
        self._grace = grace
        self.silent = silent
        self._open: dict[asyncio.Task[Any], OpenCall] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, seconds: float) -> OpenCall:
        """Begin to watch the current task."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise AssertionError("calls are made in tasks")
        deadline = loop.time() + seconds
        call = self._open[task] = OpenCall(task, seconds, deadline)
        if self._timer is None or deadline < self._timer.when():
            self._look_at(loop, deadline)
        return call

    def end(self, call: OpenCall) -> None:
        """Watch a call no longer; what was asked of its task on account of it is taken back."""
        self._open.pop(call.task, None)
        if call.overdue:
            call.task.uncancel()

    def _look_at(self, loop: asyncio.AbstractEventLoop, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(when, self._look)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        now = loop.time()
        for call in [call for call in self._open.values() if call.deadline <= now]:
            if call.overdue:
                del self._open[call.task]
                self.silent(call.task)
            else:
                call.overdue, call.deadline = True, now + self._grace
                call.task.cancel()
        if self._open:
            self._look_at(loop, min(call.deadline for call in self._open.values()))
