"""A driver in virtual time: latencies, reorderings, crashes, higher limits, and no world at all."""

from __future__ import annotations

import heapq
import random
from typing import Any

import attrs
from tests.simulation.checks import Watch
from tests.simulation.schedules import Schedule, extension

from gepa_framework.engine import Abandoned, Cancel, Completed, Machine, Status, Tick
from gepa_framework.engine.lanes import Lanes
from gepa_framework.errors import BudgetExceededError, StateTransitionError

#: No run of these sizes takes more inputs.
TOO_MANY = 20_000


@attrs.frozen
class Entry:
    """One input on record."""

    given: Any
    elapsed: float
    events: tuple[Any, ...]

    def replay(self, machine: Machine) -> None:
        """Feed a machine what was fed then; it must say the same."""
        step = machine.start() if self.given is None else machine.feed(self.given, self.elapsed)
        assert step.events == self.events, "replay told another story"


class Simulation:
    """Drives one schedule to its end."""

    def __init__(self, schedule: Schedule, *, mishaps: bool = True, in_order: bool = False) -> None:
        self.schedule = schedule
        self.mishaps = mishaps
        self.in_order = in_order
        self.draw = random.Random(f"latencies {schedule.seed}")
        self.journal: list[Entry] = []
        self.clock = 0.0
        self.crashes = self.extensions = self.refusals = 0
        self.watch = Watch(schedule)
        self._boot()

    def _boot(self) -> None:
        """Start a process: nothing is known but the journal."""
        rollouts, proposals = self.schedule.places
        self.machine = Machine(self.schedule.plan, self.schedule.stoppers())
        self.lanes = Lanes({"rollout": rollouts, "propose": proposals, "setup": 2})
        self.under_way: list[tuple[float, int, Any]] = []
        self.started = 0
        for entry in self.journal:
            entry.replay(self.machine)
        for command in self.machine.pending.values():
            self.lanes.offer(command)
        self._dispatch()

    def run(self) -> Simulation:
        """Drive until nothing is left to do."""
        if not self.journal:
            self._record(None, self.machine.start())
        for _ in range(TOO_MANY):
            if self.machine.status.terminal:
                self.watch.ended(self.machine)
                if not self._go_on():
                    return self
            else:
                self._one()
        raise AssertionError("the run does not end")

    def _go_on(self) -> bool:
        """Ask for higher limits, in a new process, as often as the schedule says; tell if they hold."""
        while self.machine.status is Status.FINISHED and self.extensions < self.schedule.extensions:
            given = extension(self.schedule, self.machine.run, self.extensions)
            self.extensions += 1
            self._boot()
            try:
                step = self.machine.feed(given, self.clock)
            except BudgetExceededError:
                self.refusals += 1
                self.watch.refused(self.machine)
            else:
                self.watch.limits = given.limits
                self._record(given, step)
                return True
        return False

    def _one(self) -> None:
        schedule = self.schedule
        if self.mishaps and schedule.cancel is not None and len(self.journal) >= schedule.cancel:
            begun, _ = self.lanes.withdraw(list(self.machine.pending))
            self._feed(Cancel("enough", begun))
            assert self.machine.status is Status.CANCELLED, "a cancel must end the run at once"
            return
        if self.mishaps and self.draw.random() < schedule.ticks:
            self._feed(Tick())
            if self.machine.status.terminal:
                return
        assert self.under_way, "work is wanted, places are free, and nothing is under way"
        done, _, command = heapq.heappop(self.under_way)
        self.clock = max(self.clock, done)
        self.lanes.end(command.effect_id)
        if command.effect_id in self.machine.pending:
            self._complete(command)
        self._dispatch()
        if self.mishaps and not self.machine.status.terminal and self.draw.random() < schedule.crashes:
            self.crashes += 1
            self.watch.crashed()
            self._boot()

    def _complete(self, command: Any) -> None:
        outcome, superseded = self.schedule.world.answer(command)
        given = Completed(command.effect_id, outcome, superseded)
        self.watch.paid(command, outcome, superseded)
        self._feed(given)
        if self.mishaps and self.draw.random() < self.schedule.doubled:
            self._refused(given)

    def _refused(self, given: Completed) -> None:
        """Hand an outcome in twice: the machine must not take it."""
        try:
            self.machine.feed(given, self.clock)
        except StateTransitionError:
            return
        raise AssertionError("an effect was fed twice")

    def _feed(self, given: Any) -> None:
        self._record(given, self.machine.feed(given, self.clock))

    def _record(self, given: Any, step: Any) -> None:
        self.journal.append(Entry(given, self.clock, step.events))
        self.watch.step(self.machine, step, given)
        begun, _ = self.lanes.withdraw(step.revoked)
        for command in step.commands:
            self.lanes.offer(command)
        if step.revoked and self.machine.status is Status.RUNNING:
            self.watch.lost(begun)
            self._feed(Abandoned(begun))
        self._dispatch()

    def _dispatch(self) -> None:
        for command in self.lanes.begin():
            self.started += 1
            latency = 1.0 if self.in_order else self.draw.expovariate(1.0)
            heapq.heappush(self.under_way, (self.clock + latency, self.started, command))
        waiting = sum(map(self.lanes.waiting, ("rollout", "propose", "setup")))
        busy = sum(map(self.lanes.busy, ("rollout", "propose", "setup")))
        assert not waiting or busy, "work waits beside free places"
