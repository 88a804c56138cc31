"""The scheduler: carries flows on as the outcomes of their commands come in, many at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from functools import partial

import attrs

from gepa_framework.engine.effects import Command, Completed, Outcome
from gepa_framework.engine.flow import NOT_NEEDED, Batch, Flow, Many
from gepa_framework.engine.run import Run
from gepa_framework.errors import InvariantError, RunFailedError
from gepa_framework.types import Usage


@attrs.define(eq=False)
class Task:
    """A flow with the batch that it waits for."""

    flow: Flow[None]
    batch: Batch = attrs.field(factory=lambda: Batch(()))
    outcomes: dict[str, Outcome] = attrs.field(factory=dict)
    superseded: dict[str, tuple[Usage, ...]] = attrs.field(factory=dict)
    released: int = 0


class Scheduler:
    """Runs one flow, and the flows that it begins.

    Args:
        run: Told of what is in, in the order of each batch's commands.

    Attributes:
        waiting: The commands whose outcome is awaited, by effect id, in the order in which they were given.
        ended: Whether the flow that everything follows from is over.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._main: Task | None = None
        self._many: Many | None = None
        self._children: dict[Task, None] = {}
        self._parked: deque[Task] = deque()
        self._evaluating: set[Task] = set()
        self._owners: dict[str, Task] = {}
        self.waiting: dict[str, Command] = {}
        self._commands: list[Command] = []
        self._revoked: list[str] = []
        self._may_begin = False
        self.ended = False

    def take(self) -> tuple[tuple[Command, ...], tuple[str, ...]]:
        """Give the commands and revocations since it was last asked."""
        if not self._commands and not self._revoked:
            return (), ()  # as it is for most outcomes
        # A command may have been taken back within the step that gave it.
        commands = tuple(command for command in self._commands if command.effect_id in self.waiting)
        revoked = tuple(self._revoked)
        self._commands, self._revoked = [], []
        return commands, revoked

    def begin(self, flow: Flow[None]) -> None:
        """Begin the flow that everything else follows from."""
        self.ended = False
        self._main = Task(flow)
        self._advance(self._main, lambda: next(flow))
        self._begin_more()

    def complete(self, given: Completed) -> None:
        """Take one outcome."""
        name = given.effect_id
        del self.waiting[name]
        task = self._owners.pop(name)
        task.outcomes[name] = given.outcome
        if given.superseded:
            task.superseded[name] = given.superseded
        self._release(task)
        if self._may_begin:
            self._begin_more()

    def go_on(self) -> None:
        """Begin what may begin, now that it is known what had begun of what was revoked."""
        self._may_begin = True
        self._begin_more()

    def stop_children(self) -> None:
        """End the flows that were begun, enter in the books what is in, and let the main flow go on."""
        for task in tuple(self._children):
            self._drop(task, observe=True)
        self._children.clear()
        self._may_begin = True
        self._begin_more()

    def close(self, *, observe: bool) -> None:
        """End everything; with what is in entered in the books, if that is wanted."""
        for task in (*self._children, *([self._main] if self._main else ())):
            self._drop(task, observe=observe)
        self._children.clear()
        self._many = None

    def _drop(self, task: Task, *, observe: bool) -> None:
        if observe:
            for command in task.batch.commands[task.released :]:
                if task.outcomes.get(command.effect_id, NOT_NEEDED) is not NOT_NEEDED:
                    # What is in may be reason to fail the run, but it has ended already.
                    with suppress(RunFailedError):
                        self._observe(task, command)
        self._revoke(task, (command.effect_id for command in task.batch.commands))
        if task in self._parked:
            self._parked.remove(task)
        self._evaluating.discard(task)
        task.flow.close()

    def _revoke(self, task: Task, effects: Iterable[str]) -> None:
        for effect_id in effects:
            if self._owners.get(effect_id) is task:
                del self._owners[effect_id], self.waiting[effect_id]
                self._revoked.append(effect_id)
                self._run.limbo.add(effect_id)

    def _release(self, task: Task) -> None:
        """Pass on outcomes in the order of their commands, as far as they are in."""
        batch, outcomes_in = task.batch, task.outcomes
        commands = batch.commands
        while task.released < len(commands):
            command = commands[task.released]
            outcome = outcomes_in.get(command.effect_id)
            if outcome is None:
                return
            task.released += 1
            if outcome is not NOT_NEEDED:
                self._observe(task, command)
                if batch.needless is not None:
                    self._take_back(task, batch.needless)
        self._evaluating.discard(task)
        outcomes = [outcomes_in[command.effect_id] for command in commands]
        self._advance(task, lambda: task.flow.send(outcomes))
        self._unpark()

    def _take_back(self, task: Task, ask: Callable[[], Collection[str]]) -> None:
        needless = [effect for effect in ask() if effect in self.waiting]
        if not needless:
            return
        self._revoke(task, needless)
        task.outcomes.update(dict.fromkeys(needless, NOT_NEEDED))

    def _observe(self, task: Task, command: Command) -> None:
        if task.superseded:
            for usage in task.superseded.pop(command.effect_id, ()):
                self._run.count_attempt(usage)
        task.batch.observe(command, task.outcomes[command.effect_id])

    def _advance(self, task: Task, move: Callable[[], Batch | Many]) -> None:
        """Let a flow go on until it wants something that is not there."""
        task.batch = Batch(())
        try:
            wanted = move()
            while isinstance(wanted, Batch) and not wanted.commands:
                wanted = task.flow.send([])
        except StopIteration:
            self._end(task)
            return
        if isinstance(wanted, Batch):
            self._admit(task, wanted)
        elif task is self._main:
            self._many, self._may_begin = wanted, True
        else:
            raise InvariantError("a flow that was begun by another may not begin further ones")

    def _end(self, task: Task) -> None:
        if task is self._main:
            self.ended = True
        else:
            del self._children[task]
            self._may_begin = True

    def _admit(self, task: Task, batch: Batch) -> None:
        if self._cannot_pay(task):
            self._cut_off(task)
            return
        task.batch, task.outcomes, task.released = batch, {}, 0
        if batch.full and len(self._evaluating) >= self._run.plan.pipelining.evaluations:
            self._parked.append(task)
            return
        if batch.full:
            self._evaluating.add(task)
        self._issue(task)

    def _cannot_pay(self, task: Task) -> bool:
        """Tell whether what a task wants would be paid for out of what is gone, or of what nobody knows."""
        return task is not self._main and self._run.budget.spent_up(self._run.limits)

    def _cut_off(self, task: Task) -> None:
        self._drop(task, observe=True)
        self._run.finished += 1
        self._end(task)

    def _unpark(self) -> None:
        while self._parked and len(self._evaluating) < self._run.plan.pipelining.evaluations:
            task = self._parked.popleft()
            if self._cannot_pay(task):
                self._cut_off(task)
            else:
                self._evaluating.add(task)
                self._issue(task)

    def _issue(self, task: Task) -> None:
        for command in task.batch.commands:
            self._owners[command.effect_id] = task
            self.waiting[command.effect_id] = command
        self._commands += task.batch.commands

    def _begin_more(self) -> None:
        """Begin what may begin; where nothing does and nothing is under way, the main flow goes on."""
        while self._may_begin and (many := self._many) is not None and self._main is not None:
            self._may_begin = False
            while len(self._children) < many.width and (flow := many.begin()) is not None:
                task = Task(flow)
                self._children[task] = None
                self._advance(task, flow.__next__)
            # What had begun of what was revoked is settled first: what follows reckons with the books.
            if not self._children and self._run.stopped is not None and not self._run.limbo:
                self._many = None
                self._advance(self._main, partial(self._main.flow.send, []))
