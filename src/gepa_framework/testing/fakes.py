"""Fakes for tests and benchmarks: one plugin of each kind without a world behind it, and a task.

The task: a candidate's ``skills`` is a list of levels, one for each topic. A row belongs to a topic and has
a difficulty; it is solved by a level that is not below it. The proposer raises the level of a topic that a
missed row belongs to, and now and then forgets a bit of another.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import attrs

from gepa_framework.errors import GepaError
from gepa_framework.types import (
    FREE,
    ComponentSpec,
    ContainerInfo,
    Event,
    Program,
    Proposal,
    ProposalRequest,
    RolloutOutcome,
    RolloutRequest,
    RolloutResult,
    RowsRequest,
    RunView,
    StopReason,
    TaskRow,
)

T = TypeVar("T")


def _number(*parts: object) -> int:
    text = "/".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")


def levels(text: str) -> list[int]:
    """Give the levels that a candidate's text spells."""
    return list(_levels(text))


@lru_cache(maxsize=256)
def _levels(text: str) -> tuple[int, ...]:
    # A candidate is run on row after row: to read it each time would cost more than the rollout.
    return tuple(int(level) for level in text.split())


@attrs.frozen
class SkillTask:
    """The task's dimensions.

    Attributes:
        topics: How many topics there are.
        hardest: The greatest difficulty.
    """

    topics: int = 12
    hardest: int = 4

    def row(self, split: str, seed: int) -> TaskRow:
        """Give one row, the same each time."""
        topic = _number("topic", split, seed) % self.topics
        difficulty = 1 + _number("difficulty", split, seed) % self.hardest
        return TaskRow(
            id=f"{split}:{seed}", split=split, data={"topic": topic, "difficulty": difficulty}, seed=seed
        )

    def solve(self, text: str, row: TaskRow) -> RolloutResult:
        """Score a candidate's text on a row: 1 or 0."""
        topic, difficulty = int(str(row.data["topic"])), int(str(row.data["difficulty"]))
        level = levels(text)[topic]
        solved = level >= difficulty
        return RolloutResult(
            reward=float(solved),
            output=level,
            feedback={"topic": topic, "short_by": difficulty - level},
            usage=FREE,
        )


class FakeTransport:
    """Serves a `SkillTask` at once, and counts what it is asked.

    Attributes:
        asked: Rollout ids in the order in which they came.
    """

    def __init__(self, task: SkillTask | None = None) -> None:
        self.task = task or SkillTask()
        self.asked: list[str] = []

    async def describe(self) -> ContainerInfo:
        """Give a contract."""
        return ContainerInfo(name="skills", contract="fake/taskset")

    async def program(self) -> Program:
        """Give the one component ``skills``."""
        return Program(
            program_id="skills",
            task_id="skills",
            components=(ComponentSpec("skills"),),
            targets=("skills",),
            seed={"skills": " ".join("0" for _ in range(self.task.topics))},
        )

    async def rows(self, request: RowsRequest) -> Sequence[TaskRow]:
        """Give rows by seed."""
        return [self.task.row(request.split, seed) for seed in request.seeds]

    async def rollout(self, request: RolloutRequest) -> RolloutOutcome:
        """Score a candidate on a row."""
        self.asked.append(request.rollout_id)
        return self.task.solve(request.candidate.components["skills"], request.row)

    async def close(self) -> None:
        """Hold nothing, so let go of nothing."""


class FakeProposer:
    """Learns from missed rows, by arithmetic."""

    async def propose(self, request: ProposalRequest) -> Proposal:
        """Raise the level of one missed topic; sometimes lower another."""
        now = levels(request.parent.components["skills"])
        missed = [frame for frame in request.evidence if not frame.reward]
        if missed:
            topic = int(str(missed[request.seed % len(missed)].inputs["topic"]))
            now[topic] += 1 + request.seed % 3
        if request.seed % 5 == 0:
            other = request.seed // 5 % len(now)
            now[other] = max(0, now[other] - 1)
        return Proposal({"skills": " ".join(map(str, now))}, rationale="practise what was missed", usage=FREE)

    async def close(self) -> None:
        """Hold nothing, so let go of nothing."""


class FakeExecutor:
    """Runs calls in this process, one task each."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def submit(self, call: Callable[[], Awaitable[T]]) -> T:
        """Run the call.

        Raises:
            GepaError: The executor is closed.
        """
        if self._closed:
            raise GepaError("the executor is closed")
        task = asyncio.ensure_future(_awaited(call))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        try:
            return await task
        finally:
            task.cancel()

    async def drain(self) -> None:
        """Wait for what is under way."""
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def close(self) -> None:
        """Cancel what is under way."""
        self._closed = True
        for task in self._under_way:
            task.cancel()
        await self.drain()


async def _awaited(call: Callable[[], Awaitable[T]]) -> T:
    return await call()


class FakeListener:
    """Remembers what it hears.

    Attributes:
        heard: The events, in the order in which they came.
    """

    def __init__(self) -> None:
        self.heard: list[Event] = []

    def on_event(self, event: Event) -> None:
        """Remember it."""
        self.heard.append(event)

    def close(self) -> None:
        """Hold nothing, so let go of nothing."""


class FakeStopper:
    """Stops once so many iterations are finished."""

    def __init__(self, iterations: int = 3) -> None:
        self._iterations = iterations

    def check(self, view: RunView) -> StopReason | None:
        """Give the reason once they are."""
        if view.iteration < self._iterations:
            return None
        return StopReason("fake", self._iterations, view.iteration, "Enough iterations are finished.")


class FakeCache:
    """Keeps answers in a dictionary."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], bytes] | None = {}

    def _open(self) -> dict[tuple[str, str], bytes]:
        if self._kept is None:
            raise GepaError("the cache is closed")
        return self._kept

    async def get(self, namespace: str, key: str) -> bytes | None:
        """Give what was put first."""
        return self._open().get((namespace, key))

    async def put(self, namespace: str, key: str, value: bytes) -> None:
        """Keep a copy, unless there is one already."""
        self._open().setdefault((namespace, key), bytes(value))

    async def close(self) -> None:
        """Forget everything."""
        self._kept = None
