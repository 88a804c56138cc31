"""A world that answers every effect by its id alone: whoever asks again is told the same."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import attrs

from gepa_framework.engine import Describe, LoadProgram, LoadRows, ProposalFailure, Propose, Rollout
from gepa_framework.types import (
    ComponentSpec,
    ContainerInfo,
    FailureKind,
    Program,
    Proposal,
    RolloutFailure,
    RolloutResult,
    TaskRow,
    Usage,
)

COMPONENTS = ("answer", "route")
SEED_TEXT = "1"
PROGRAM = Program(
    program_id="sim",
    task_id="sim",
    components=tuple(ComponentSpec(name) for name in COMPONENTS),
    targets=COMPONENTS,
    seed=dict.fromkeys(COMPONENTS, SEED_TEXT),
)
#: No attempt costs more; plans estimate this.
DEAREST = 0.003


def _row(split: str, number: int) -> TaskRow:
    data = {"n": number, "say": f"what row {number} of {split} says"}
    return TaskRow(id=f"{split}:{number}", split=split, data=data, seed=number)


@attrs.frozen
class World:
    """Scores, proposals, failures and costs, all drawn from a seed and what is asked.

    Attributes:
        seed: What everything is drawn from.
        failing: Share of rollouts that fail.
        refusing: Share of proposals that fail or are of no use.
        grades: Rewards that there are.
        quoting: Share of proposals that quote a row.
        unknown: Share of calls that do not say what they cost.
    """

    seed: int
    failing: float
    refusing: float
    grades: tuple[float, ...]
    unknown: float
    quoting: float = 0.0

    def draw(self, *parts: object) -> random.Random:
        text = "\x1f".join(map(str, (self.seed, *parts)))
        return random.Random(hashlib.sha256(text.encode()).digest())

    def answer(self, command: Any) -> tuple[Any, tuple[Usage, ...]]:
        """Give the outcome of a command and what failed attempts before it took."""
        if isinstance(command, Describe):
            return ContainerInfo(name="sim", contract="sim"), ()
        if isinstance(command, LoadProgram):
            return PROGRAM, ()
        if isinstance(command, LoadRows):
            wanted = command.request
            return tuple(_row(wanted.split, number) for number in wanted.seeds), ()
        if isinstance(command, Propose):
            return self._proposal(command), ()
        return self._rollout(command)

    def usage(self, draw: random.Random) -> Usage:
        cost = None if draw.random() < self.unknown else draw.randrange(3001) / 1e6
        return Usage(draw.randrange(20), draw.randrange(10), draw.randrange(30), cost)

    def reward(self, texts: Any, row_id: str) -> float:
        """Give what texts are worth on a row: each helps on rows of its own."""
        best = len(self.grades) - 1
        good = sum(
            min(best, self.draw("skill", name, texts[name], row_id).randrange(2 * best + 1))
            for name in COMPONENTS
        )
        return self.grades[round(good / len(COMPONENTS))]

    def _rollout(self, command: Rollout) -> tuple[Any, tuple[Usage, ...]]:
        draw = self.draw("rollout", command.effect_id)
        superseded = tuple(self.usage(draw) for _ in range(draw.choice((0, 0, 0, 1))))
        usage = self.usage(draw)
        if draw.random() < self.failing:
            return RolloutFailure(FailureKind.CONTAINER, "broke", "it broke", usage=usage), superseded
        reward = self.reward(command.candidate.components, command.row.id)
        objectives = {"speed": draw.randrange(4) / 4, "care": draw.randrange(4) / 4}
        return RolloutResult(reward=reward, objectives=objectives, usage=usage), superseded

    def _proposal(self, command: Propose) -> Proposal | ProposalFailure:
        draw = self.draw("proposal", command.effect_id)
        usage, request = self.usage(draw), command.request
        if draw.random() < self.refusing:
            return draw.choice(
                (
                    ProposalFailure("tired", "not now", usage),
                    Proposal({}, usage=usage),
                    Proposal({"nonsense": "x"}, usage=usage),
                    Proposal({request.components[0]: SEED_TEXT}, usage=usage),
                )
            )
        name = draw.choice(request.components)
        said = f"what row {draw.randrange(4)} of train says" if draw.random() < self.quoting else ""
        text = f"{request.parent.components[name]} {draw.randrange(6)}{said}"
        return Proposal({name: text}, usage=usage)
