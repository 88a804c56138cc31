"""The machine: fed inputs, it emits commands and events. It never touches the world.

Same plan, same stoppers, same inputs in the same order: same commands and same events, byte for byte.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence

import attrs

from gepa_framework.engine.abandoning import note_abandoned
from gepa_framework.engine.effects import Abandoned, Cancel, Command, Completed, Extend, Input, Tick
from gepa_framework.engine.extending import check_extension, extend
from gepa_framework.engine.lifecycle import go_on, lifecycle
from gepa_framework.engine.plan import Plan
from gepa_framework.engine.run import Run
from gepa_framework.engine.scheduler import Scheduler
from gepa_framework.engine.stopping import time_is_up
from gepa_framework.errors import (
    CancelledError,
    ConfigError,
    GepaError,
    InvariantError,
    PluginError,
    StateTransitionError,
)
from gepa_framework.types import EventBody, Stopper
from gepa_framework.types.events import RunCancelled, RunFailed


class Status(enum.StrEnum):
    """Where a run stands."""

    NEW = "new"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        """Whether nothing more will come."""
        return self not in (Status.NEW, Status.RUNNING)


@attrs.define
class Step:
    """What the machine answers to one input; there is one for every rollout, so it is light.

    Attributes:
        commands: To be carried out, side by side.
        revoked: Effect ids of commands whose outcome is no longer wanted.
        events: What is now on the record.
    """

    commands: tuple[Command, ...] = ()
    revoked: tuple[str, ...] = ()
    events: tuple[EventBody, ...] = ()


class Machine:
    """One run of GEPA, without IO.

    Args:
        plan: What the run is decided by.
        stoppers: Asked in this order between iterations and on every tick.
    """

    def __init__(self, plan: Plan, stoppers: Sequence[Stopper] = ()) -> None:
        self._events: list[EventBody] = []
        self.run = Run(plan, stoppers, self._events.append)
        self.status = Status.NEW
        self.failure: GepaError | None = None
        self._scheduler = Scheduler(self.run)

    @property
    def pending(self) -> Mapping[str, Command]:
        """The commands whose outcome the machine waits for, by effect id."""
        return self._scheduler.waiting

    def start(self) -> Step:
        """Give the first commands.

        Raises:
            StateTransitionError: The machine was started before.
        """
        if self.status is not Status.NEW:
            raise StateTransitionError("the machine was started twice")
        self.status = Status.RUNNING
        return self._step(lambda: self._scheduler.begin(lifecycle(self.run)))

    def feed(self, given: Input, elapsed: float) -> Step:
        """Take one input and give what follows from it.

        Args:
            given: An outcome, a tick, a cancel, what was abandoned, or higher limits; those reopen a run
                that is finished.
            elapsed: Seconds worked on the run; never less than at the input before.

        Raises:
            StateTransitionError: The machine is not running, or waits for no such outcome.
            PluginError: A stopper is broken; the machine is of no further use.
            BudgetExceededError: The higher limits are of no use; the machine is as it was.
        """
        if isinstance(given, Extend):
            return self._extend(given, elapsed)
        if self.status is not Status.RUNNING:
            raise StateTransitionError(f"the machine is {self.status.value} and takes no input")
        self.run.elapsed = elapsed
        if isinstance(given, Completed):
            if given.effect_id not in self._scheduler.waiting:
                raise StateTransitionError(f"no outcome of {given.effect_id!r} is awaited")
            return self._step(self._scheduler.complete, given)
        if isinstance(given, Tick):
            return self._step(self._check_clock)
        if isinstance(given, Abandoned):
            return self._step(self._abandon, given)
        return self._step(self._cancel, given)

    def _extend(self, given: Extend, elapsed: float) -> Step:
        if self.status not in (Status.RUNNING, Status.FINISHED):
            raise StateTransitionError(f"the machine is {self.status.value} and cannot go on")
        check_extension(self.run, given)
        self.run.elapsed = elapsed
        extend(self.run, given)
        if self.status is Status.RUNNING:
            return self._step(lambda: None)
        self.status = Status.RUNNING
        return self._step(lambda: self._scheduler.begin(go_on(self.run)))

    def _step(self, act: Callable[..., None], *given: Input) -> Step:
        try:
            act(*given)
            if self._scheduler.ended and self.status is Status.RUNNING:
                self.status = Status.FINISHED
        except PluginError:
            # Not the run's failure: nothing of this input is kept, and a mended plugin may go on.
            raise
        except GepaError as error:
            self._fail(error)
        if self.status is Status.RUNNING and not self._scheduler.waiting and not self.run.limbo:
            raise InvariantError("the run goes on and waits for nothing")
        commands, revoked = self._scheduler.take()
        events = tuple(self._events)
        self._events.clear()
        return Step(commands, revoked, events)

    def _abandon(self, given: Abandoned) -> None:
        note_abandoned(self.run, given.effect_ids)
        self._scheduler.go_on()

    def _check_clock(self) -> None:
        if self.run.searching and (reason := time_is_up(self.run)) is not None:
            self.run.stopped = reason
            self._scheduler.stop_children()

    def _cancel(self, cancel: Cancel) -> None:
        self._scheduler.close(observe=True)
        note_abandoned(self.run, cancel.begun)
        self._events.append(RunCancelled(reason=cancel.reason))
        self.status = Status.CANCELLED
        self.failure = CancelledError(f"the run was cancelled: {cancel.reason}")

    def _fail(self, error: GepaError) -> None:
        self._scheduler.close(observe=False)
        self.failure = error
        self.status = Status.FAILED
        paths = [problem.path for problem in error.problems] if isinstance(error, ConfigError) else []
        self._events.append(
            RunFailed(error_code=error.error_code, message=str(error), details={"paths": paths})
        )
