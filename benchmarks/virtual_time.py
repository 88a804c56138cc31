"""Throughput of the pipeline in virtual time: the real machine and lanes, latencies that are only reckoned.

A proposal takes 2 s, a rollout 100 ms, more or less by half. What the lanes could do at best follows from
what was done: the calls of each lane, shared out evenly over its places, with the fullest lane the bound.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Iterator, Mapping

import attrs

from gepa_framework.engine import (
    Command,
    Completed,
    Describe,
    Limits,
    LoadProgram,
    LoadRows,
    Machine,
    Pipelining,
    Plan,
    Propose,
    Rollout,
)
from gepa_framework.engine.lanes import Lanes
from gepa_framework.testing.fakes import SkillTask
from gepa_framework.types import (
    FREE,
    ComponentSpec,
    ContainerInfo,
    Program,
    Proposal,
    ProposalRequest,
    RowsRequest,
)

Improve = Callable[[ProposalRequest], Mapping[str, str]]
PROPOSAL_SECONDS, ROLLOUT_SECONDS = 2.0, 0.1


@attrs.frozen
class Places:
    """How many calls may be under way at once."""

    propose: int
    rollout: int
    in_flight: int


@attrs.define
class Played:
    """What a run took, and what its calls took together."""

    seconds: float = 0.0
    proposing: float = 0.0
    rolling: float = 0.0

    def ideal(self, places: Places) -> float:
        """Give the seconds that the fullest lane needs at the least."""
        return max(self.proposing / places.propose, self.rolling / places.rollout)


class Clockwork:
    """Plays one plan in virtual time."""

    def __init__(self, task: SkillTask, propose: Improve, plan: Plan, places: Places) -> None:
        self.task = task
        self.propose = propose
        self.machine = Machine(plan)
        self.lanes = Lanes({"rollout": places.rollout, "propose": places.propose, "setup": 1})
        self.draw = random.Random(1)
        self.order: Iterator[int] = itertools.count()
        self.under_way: list[tuple[float, int, Command]] = []
        self.played = Played()

    def play(self) -> Played:
        """Drive the run to its end and give what it took."""
        step = self.machine.start()
        while True:
            for command in step.commands:
                self.lanes.offer(command)
            for command in self.lanes.begin():
                done = self.played.seconds + self._latency(command)
                heapq.heappush(self.under_way, (done, next(self.order), command))
            if self.machine.status.terminal:
                return self.played
            self.played.seconds, _, command = heapq.heappop(self.under_way)
            self.lanes.end(command.effect_id)
            step = self.machine.feed(Completed(command.effect_id, self._answer(command)), self.played.seconds)

    def _latency(self, command: Command) -> float:
        if isinstance(command, Propose):
            self.played.proposing += PROPOSAL_SECONDS
            return PROPOSAL_SECONDS
        if isinstance(command, Rollout):
            seconds = ROLLOUT_SECONDS * self.draw.uniform(0.5, 1.5)
            self.played.rolling += seconds
            return seconds
        return 0.0

    def _answer(self, command: Command) -> object:
        match command:
            case Describe():
                return ContainerInfo("bench", "bench")
            case LoadProgram():
                return _program(self.task)
            case LoadRows(request=wanted):
                return tuple(self.task.row(wanted.split, seed) for seed in wanted.seeds)
            case Propose(request=request):
                return Proposal(self.propose(request), usage=FREE)
        return self.task.solve(command.candidate.components["skills"], command.row)


def _program(task: SkillTask) -> Program:
    seed = {"skills": " ".join("0" for _ in range(task.topics))}
    return Program("bench", "bench", (ComponentSpec("skills"),), ("skills",), seed)


def search_plan(places: Places, *, pipelined: bool, rows: int, iterations: int) -> Plan:
    """Give the same search, overlapped or not."""
    return Plan(
        seed=1,
        train=RowsRequest("train", seeds=tuple(range(rows))),
        heldout=RowsRequest("test", seeds=()),
        limits=Limits(train_rollouts=10**9, heldout_rollouts=0, iterations=iterations),
        minibatch_size=3,
        pipelining=Pipelining(in_flight=places.in_flight if pipelined else 1, evaluations=2),
    )
