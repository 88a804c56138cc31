"""A task without a world, and the smallest driver that can play it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from gepa_framework.engine import (
    Abandoned,
    Cancel,
    Completed,
    Describe,
    Limits,
    LoadProgram,
    LoadRows,
    Machine,
    Plan,
    ProposalFailure,
    Propose,
    Rollout,
    Tick,
)
from gepa_framework.types import (
    FREE,
    ComponentSpec,
    ContainerInfo,
    FailureKind,
    Program,
    Proposal,
    RolloutFailure,
    RolloutResult,
    RowsRequest,
    Stage,
    TaskRow,
)

INFO = ContainerInfo(name="toy", contract="toy/taskset", task={"about": "numbers"})
PROGRAM = Program(
    program_id="toy",
    task_id="toy-task",
    components=(ComponentSpec("prompt", module_id="writer", role="system"),),
    targets=("prompt",),
    seed={"prompt": "0.2"},
)
FAILED = RolloutFailure(FailureKind.CONTAINER, "broke", "it broke", usage=FREE)


def make_plan(*, train: int = 4, heldout: int = 2, limits: dict[str, Any] | None = None, **changes) -> Plan:
    given = {"train_rollouts": 1000, "heldout_rollouts": 2 * heldout, "iterations": 3, **(limits or {})}
    fields: dict[str, Any] = {
        "seed": 7,
        "train": RowsRequest("train", seeds=tuple(range(train))),
        "heldout": RowsRequest("heldout", seeds=tuple(range(100, 100 + heldout))),
        "limits": Limits(**given),
        "minibatch_size": 2,
    }
    return Plan(**{**fields, **changes})


def make_row(split: str, seed: int) -> TaskRow:
    return TaskRow(id=f"{split}:{seed}", split=split, data={"n": seed}, seed=seed)


def rising(request: Any) -> Proposal:
    """Propose a text that scores a tenth more."""
    changes = {name: f"{float(request.parent.components[name]) + 0.1:.1f}" for name in request.components}
    return Proposal(changes, rationale="up", usage=FREE)


def by_text(command: Rollout) -> float:
    """Score a candidate by the number that its first component spells."""
    return float(next(iter(command.candidate.components.values())))


@attrs.define
class World:
    """Answers commands; what is asked stays in `asked`.

    ``score`` gives an outcome or a reward for a rollout; ``propose`` a proposal, a failure or a text.
    """

    score: Callable[[Rollout], Any] = by_text
    propose: Callable[[Any], Any] | Sequence[Any] = rising
    program: Program = PROGRAM
    rows: Callable[[str, int], TaskRow] = make_row
    usage: Any = FREE
    asked: list[Any] = attrs.field(factory=list)

    def answer(self, command: Any) -> Any:
        self.asked.append(command)
        if isinstance(command, Describe):
            return INFO
        if isinstance(command, LoadProgram):
            return self.program
        if isinstance(command, LoadRows):
            return self._rows(command.request)
        if isinstance(command, Propose):
            return self._proposal(command.request)
        return self._rollout(command, self.score(command))

    def _rollout(self, command: Rollout, given: Any) -> Any:
        if isinstance(given, RolloutResult | RolloutFailure):
            return given
        return RolloutResult(reward=given, usage=self.usage, output=f"said {command.row.id}")

    def _rows(self, wanted: RowsRequest) -> tuple[TaskRow, ...]:
        if wanted.ids:
            return tuple(TaskRow(id=name, split=wanted.split, data={"n": name}) for name in wanted.ids)
        return tuple(self.rows(wanted.split, seed) for seed in wanted.seeds)

    def _proposal(self, request: Any) -> Any:
        if callable(self.propose):
            given = self.propose(request)
        else:
            turn = sum(isinstance(command, Propose) for command in self.asked) - 1
            given = self.propose[turn % len(self.propose)]
        return Proposal({"prompt": given}, usage=self.usage) if isinstance(given, str) else given

    def of(self, kind: type) -> list[Any]:
        return [command for command in self.asked if isinstance(command, kind)]

    def rollouts(self, *stages: Stage) -> list[Rollout]:
        return [command for command in self.of(Rollout) if not stages or command.stage in stages]


class Play:
    """Plays one machine against a world, one outcome at a time."""

    def __init__(self, plan: Plan, world: World | None = None, stoppers: Sequence[Any] = ()) -> None:
        self.world = world or World()
        self.machine = Machine(plan, stoppers)
        self.events: list[Any] = []
        self.commands: list[Any] = []
        self.revoked: list[str] = []
        self.answers: dict[str, Any] = {}
        self.clock = 0.0

    @property
    def run(self) -> Any:
        return self.machine.run

    @property
    def types(self) -> list[str]:
        return [body.type for body in self.events]

    def of(self, name: str) -> list[Any]:
        return [body for body in self.events if body.type == name]

    def take(self, step: Any) -> Play:
        self.events += step.events
        self.commands += step.commands
        self.revoked += step.revoked
        for command in step.commands:
            self.answers[command.effect_id] = self.world.answer(command)
        if step.revoked and not self.machine.status.terminal:
            return self.take(self.machine.feed(Abandoned(()), self.clock))
        return self

    def start(self) -> Play:
        return self.take(self.machine.start())

    def complete(self, effect_id: str, outcome: Any = None) -> Play:
        given = self.answers[effect_id] if outcome is None else outcome
        return self.take(self.machine.feed(Completed(effect_id, given), self.clock))

    def tick(self, clock: float) -> Play:
        self.clock = clock
        return self.take(self.machine.feed(Tick(), clock))

    def cancel(self, reason: str = "enough") -> Play:
        return self.take(self.machine.feed(Cancel(reason), self.clock))

    def until(self, stop: Callable[[Play], bool], pick: Callable[[list[str]], str] = min) -> Play:
        """Complete what is awaited, in the order that `pick` says, until `stop` or the end."""
        for _ in range(100_000):
            if self.machine.status.terminal or stop(self):
                return self
            self.complete(pick(list(self.machine.pending)))
        raise AssertionError("the machine does not end")

    def finish(self, pick: Callable[[list[str]], str] = lambda waiting: waiting[0]) -> Play:
        return self.until(lambda _: False, pick)

    def awaiting(self, stage: Stage) -> bool:
        return any(isinstance(c, Rollout) and c.stage is stage for c in self.machine.pending.values())


def play(plan: Plan | None = None, world: World | None = None, stoppers: Sequence[Any] = ()) -> Play:
    """Play a run from its start to its end."""
    return Play(plan or make_plan(), world, stoppers).start().finish()


@pytest.fixture(scope="session")
def toy() -> SimpleNamespace:
    return SimpleNamespace(
        FAILED=FAILED,
        INFO=INFO,
        PROGRAM=PROGRAM,
        Play=Play,
        ProposalFailure=ProposalFailure,
        World=World,
        by_text=by_text,
        plan=make_plan,
        play=play,
        rising=rising,
        row=make_row,
    )
