"""The machine: fed inputs, it emits commands and events. It never touches the world.

Same plan, same stoppers, same inputs in the same order: same commands and same events, byte for byte.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TypeAlias

import attrs

from gepa_framework.engine.effects import Cancel, Command, Completed, Extend, Input, Outcome, Tick
from gepa_framework.engine.extending import check_extension, extend, reopen
from gepa_framework.engine.flow import Batch, Flow, SearchStopped
from gepa_framework.engine.heldout import heldout
from gepa_framework.engine.plan import Plan
from gepa_framework.engine.run import Run
from gepa_framework.engine.search import evaluate_seed, search
from gepa_framework.engine.setup import check_budget, setup
from gepa_framework.engine.stopping import stop_reason
from gepa_framework.errors import (
    CancelledError,
    ConfigError,
    GepaError,
    PluginError,
    RunFailedError,
    StateTransitionError,
)
from gepa_framework.types import EventBody, Stopper, Usage
from gepa_framework.types.events import RunCancelled, RunFailed, RunFinished, RunStarted, StopDecided


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


@attrs.frozen
class Step:
    """What the machine answers to one input.

    Attributes:
        commands: To be carried out, side by side.
        revoked: Effect ids of commands whose outcome is no longer wanted.
        events: What is now on the record.
    """

    commands: tuple[Command, ...] = ()
    revoked: tuple[str, ...] = ()
    events: tuple[EventBody, ...] = ()


_Act: TypeAlias = Callable[[], tuple[Command, ...]]


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
        self._flow: Flow[None] = _lifecycle(self.run)
        self._batch = Batch(())
        self._outcomes: dict[str, Outcome] = {}
        self._superseded: dict[str, tuple[Usage, ...]] = {}
        self._waiting: dict[str, Command] = {}
        self._released = 0

    @property
    def pending(self) -> Mapping[str, Command]:
        """The commands whose outcome the machine waits for, by effect id."""
        return self._waiting

    def start(self) -> Step:
        """Give the first commands.

        Raises:
            StateTransitionError: The machine was started before.
        """
        if self.status is not Status.NEW:
            raise StateTransitionError("the machine was started twice")
        self.status = Status.RUNNING
        return self._step(lambda: self._advance(lambda: next(self._flow)))

    def feed(self, given: Input, elapsed: float) -> Step:
        """Take one input and give what follows from it.

        Args:
            given: An outcome, a tick, a cancel, or higher limits; those reopen a run that is finished.
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
            if self._waiting.pop(given.effect_id, None) is None:
                raise StateTransitionError(f"no outcome of {given.effect_id!r} is awaited")
            self._outcomes[given.effect_id] = given.outcome
            self._superseded[given.effect_id] = given.superseded
            return self._step(self._release)
        if isinstance(given, Tick):
            return self._step(self._check_clock)
        return self._step(lambda: self._cancel(given))

    def _extend(self, given: Extend, elapsed: float) -> Step:
        if self.status not in (Status.RUNNING, Status.FINISHED):
            raise StateTransitionError(f"the machine is {self.status.value} and cannot go on")
        check_extension(self.run, given)
        self.run.elapsed = elapsed
        extend(self.run, given)
        if self.status is Status.RUNNING:
            return self._step(lambda: ())
        self.status = Status.RUNNING
        self._flow = _lifecycle_again(self.run)
        return self._step(lambda: self._advance(lambda: next(self._flow)))

    def _step(self, act: _Act) -> Step:
        before = self._waiting
        try:
            commands = act()
        except PluginError:
            # Not the run's failure: nothing of this input is kept, and a mended plugin may go on.
            raise
        except GepaError as error:
            self._fail(error)
            commands = ()
        revoked = () if self._waiting is before else tuple(before)
        events = tuple(self._events)
        self._events.clear()
        return Step(commands, revoked, events)

    def _release(self) -> tuple[Command, ...]:
        """Pass on outcomes in the order of their commands, as far as they are in."""
        batch = self._batch
        while self._released < len(batch.commands):
            command = batch.commands[self._released]
            if command.effect_id not in self._outcomes:
                return ()
            self._released += 1
            self._observe(command)
        outcomes = self._outcomes
        ready = [outcomes[command.effect_id] for command in batch.commands]
        return self._advance(lambda: self._flow.send(ready))

    def _abandon(self) -> None:
        """Enter in the books what is in already, though the flow will never be told."""
        for command in self._batch.commands[self._released :]:
            if command.effect_id in self._outcomes:
                # What is in may be reason to fail the run, but it has ended already.
                with suppress(RunFailedError):
                    self._observe(command)

    def _observe(self, command: Command) -> None:
        for usage in self._superseded.pop(command.effect_id):
            self.run.ledger.count_attempt(usage)
        self._batch.observe(command, self._outcomes[command.effect_id])

    def _advance(self, move: Callable[[], Batch]) -> tuple[Command, ...]:
        """Let the flow go on until it wants something that is not there."""
        try:
            batch = move()
            while not batch.commands:
                batch = self._flow.send([])
        except StopIteration:
            return self._finish()
        return self._await(batch)

    def _await(self, batch: Batch) -> tuple[Command, ...]:
        self._batch, self._outcomes, self._released = batch, {}, 0
        if self._waiting:
            self._waiting = {}
        for command in batch.commands:
            self._waiting[command.effect_id] = command
        return batch.commands

    def _check_clock(self) -> tuple[Command, ...]:
        if not self.run.searching or (reason := stop_reason(self.run)) is None:
            return ()
        self._abandon()
        return self._advance(lambda: self._flow.throw(SearchStopped(reason)))

    def _cancel(self, cancel: Cancel) -> tuple[Command, ...]:
        self._abandon()
        self._flow.close()
        self._waiting = {}
        self._events.append(RunCancelled(reason=cancel.reason))
        self.status = Status.CANCELLED
        self.failure = CancelledError(f"the run was cancelled: {cancel.reason}")
        return ()

    def _finish(self) -> tuple[Command, ...]:
        self._waiting = {}
        self.status = Status.FINISHED
        return ()

    def _fail(self, error: GepaError) -> None:
        self._flow.close()
        self._waiting = {}
        self.failure = error
        self.status = Status.FAILED
        paths = [problem.path for problem in error.problems] if isinstance(error, ConfigError) else []
        self._events.append(
            RunFailed(error_code=error.error_code, message=str(error), details={"paths": paths})
        )


def _lifecycle(run: Run) -> Flow[None]:
    run.emit(
        RunStarted(seed=run.plan.seed, config_digest=run.plan.config_digest, limits=run.plan.limits.fields())
    )
    check_budget(run.plan)
    yield from setup(run)
    yield from evaluate_seed(run)
    yield from _lifecycle_again(run)


def _lifecycle_again(run: Run) -> Flow[None]:
    """Search and score what was found, once more if limits were raised after the search."""
    while True:
        reopen(run)
        try:
            yield from search(run)
        except SearchStopped as stopped:
            run.stopped = stopped.reason
        run.searching = False
        if run.stopped is not None:
            run.emit(StopDecided(**attrs.asdict(run.stopped), iteration=run.iteration))
        yield from heldout(run)
        if not run.reopened:
            break
    run.emit(_finished(run))


def _finished(run: Run) -> RunFinished:
    usage = run.ledger.outcome_usage
    return RunFinished(
        best_candidate_id=run.pool.best.candidate.id,
        best_score=run.pool.best_score,
        iterations=run.iteration,
        candidates=len(run.pool.members),
        rollouts=run.ledger.rollouts,
        failed_rollouts=run.ledger.failed_rollouts,
        cost_usd=usage.cost_usd,
        total_tokens=usage.total_tokens,
    )
