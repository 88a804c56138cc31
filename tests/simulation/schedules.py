"""Schedules: plans, worlds and mishaps, all drawn from one number."""

from __future__ import annotations

import random
from typing import Any

import attrs
from tests.simulation.world import DEAREST, World

from gepa_framework.builtin.no_improvement import NoImprovement
from gepa_framework.builtin.score_threshold import ScoreThreshold
from gepa_framework.engine import (
    Accepting,
    Estimates,
    Extend,
    FailedRollouts,
    Generating,
    Leakage,
    Limits,
    Merging,
    Pipelining,
    Plan,
    Run,
    Selecting,
    Weighing,
)
from gepa_framework.types import RowsRequest, RunView, StopReason, Usage

_RULES = ("strict_improvement", "strict_improvement", "improvement_or_equal", "paired", "sequential")


@attrs.frozen
class Schedule:
    """Everything that one simulated run is made of.

    Attributes:
        seed: The number that it is drawn from.
        plan: The plan.
        world: What answers.
        stoppers: Makes the stoppers anew, for every machine.
        places: How many rollouts and proposals may be under way at once.
        crashes: Share of inputs after which the process dies.
        cancel: After how many inputs the run is cancelled; ``None`` for never.
        ticks: Share of inputs that a tick comes before.
        doubled: Share of outcomes that come in twice.
        extensions: How often higher limits are asked for once the run is finished.
    """

    seed: int
    plan: Plan
    world: World
    stoppers: Any
    places: tuple[int, int]
    crashes: float
    cancel: int | None
    ticks: float
    doubled: float
    extensions: int


class Remembering:
    """A stopper with a memory: it stops when the best score was the same so many iterations in a row."""

    def __init__(self, iterations: int) -> None:
        self.iterations = iterations
        self.seen: dict[int, float | None] = {}

    def check(self, view: RunView) -> StopReason | None:
        """Look back."""
        self.seen.setdefault(view.iteration, view.best_score)
        latest = list(self.seen.values())[-self.iterations :]
        if len(latest) < self.iterations or len(set(latest)) > 1:
            return None
        return StopReason("remembered", self.iterations, view.iteration, "the best score stands still")


def schedule(seed: int) -> Schedule:
    """Draw a schedule."""
    draw = random.Random(seed)
    grades = draw.choice(((0.0, 1.0), (0.0, 0.25, 0.5, 1.0), (0.1, 0.2, 0.3, 0.7)))
    plan = _plan(draw, seed, grades[-1])
    unknown = draw.choice((0.0, 0.0, 0.0, 0.02))
    world = World(
        seed,
        failing=draw.choice((0.0, 0.0, 0.05, 0.3)),
        refusing=draw.choice((0.0, 0.2, 0.6)),
        grades=grades,
        unknown=unknown,
        quoting=draw.choice((0.0, 0.0, 0.2)),
    )
    patience, threshold = draw.choice((None, 3, 8)), draw.choice((None, None, 0.9))

    remembered = draw.choice((None, None, 4))

    def stoppers() -> list[Any]:
        asked: list[Any] = [NoImprovement(patience)] if patience else []
        asked += [Remembering(remembered)] if remembered else []
        return asked + ([ScoreThreshold(threshold)] if threshold else [])

    return Schedule(
        seed,
        plan,
        world,
        stoppers,
        places=(draw.randint(1, 6), draw.randint(1, 3)),
        crashes=draw.choice((0.0, 0.01, 0.05)),
        cancel=draw.choice((None, None, None, draw.randint(1, 200))),
        ticks=draw.choice((0.0, 0.1)),
        doubled=draw.choice((0.0, 0.05)),
        # Few runs end by the clock.
        extensions=draw.choice((0, 0, 1, 2) if plan.limits.seconds is None else (1, 2)),
    )


def _plan(draw: random.Random, seed: int, top: float) -> Plan:
    train, heldout, size = draw.randint(1, 7), draw.randint(0, 3), draw.randint(1, 6)
    pipelined = draw.random() < 0.7
    objectives = {"speed": "maximize", "care": "minimize"} if draw.random() < 0.3 else {}
    return Plan(
        seed=seed,
        train=RowsRequest("train", seeds=tuple(range(train))),
        heldout=RowsRequest("heldout", seeds=tuple(range(100, 100 + heldout))),
        limits=_limits(draw, train, heldout),
        minibatch_size=size,
        selecting=Selecting(draw.choice(("pareto", "pareto", "current_best", "epsilon_greedy"))),
        accepting=Accepting(draw.choice(_RULES)),
        failed_rollouts=draw.choice((FailedRollouts.EXCLUDE_PAIRED, FailedRollouts.SCORE_ZERO)),
        failure_tolerance=draw.choice((1.0, 1.0, 0.6)),
        perfect_score=draw.choice((None, top, top)),
        max_proposer_failures=draw.choice((3, 100)),
        frontier=draw.choice(("instance", "hybrid")) if objectives else "instance",
        objectives=objectives,
        pipelining=Pipelining(
            in_flight=draw.randint(2, 6) if pipelined else 1,
            evaluations=draw.randint(1, 3),
            staleness=draw.choice(("full", "guarded", "reflective")) if pipelined else "full",
            delta_max=draw.randint(0, 3),
            speculative=pipelined and draw.random() < 0.5,
        ),
        generating=_generating(draw),
        merging=draw.choice((Merging(), Merging(every=1), Merging(every=2, max=2, rows=3))),
        weighing=Weighing("primary_or_objective") if objectives and draw.random() < 0.5 else Weighing(),
        estimates=Estimates(
            rollout=Usage(20, 10, 30, DEAREST), proposal=Usage(20, 10, 30, DEAREST), attempts=2
        ),
        repair_turns=draw.choice((0, 1)),
        leakage=Leakage(draw.choice(("forbid", "warn", "allow")), min_span_chars=16),
    )


def _generating(draw: random.Random) -> Generating:
    if draw.random() < 0.6:
        return Generating()
    return Generating(
        parents=draw.randint(1, 2),
        minibatches=draw.randint(1, 2),
        proposals=draw.randint(1, 2),
        keep=draw.choice(("all", "best", "top_k")),
        k=draw.randint(1, 2),
    )


def _limits(draw: random.Random, train: int, heldout: int) -> Limits:
    spare = draw.choice((0, 10, 60, 200))
    return Limits(
        train_rollouts=train + spare,
        heldout_rollouts=draw.choice((2 * heldout, 4 * heldout)),
        total_rollouts=draw.choice((None, train + 2 * heldout + spare)),
        proposals=draw.choice((None, 5, 40)),
        iterations=draw.choice((4, 12, 40)),
        seconds=draw.choice((None, None, 40.0)),
        cost_usd=draw.choice((None, None, 0.2, 0.8)),
        prompt_tokens=draw.choice((None, None, 4000)),
        completion_tokens=draw.choice((None, None, 3000)),
        total_tokens=draw.choice((None, None, 6000)),
    )


def extension(given: Schedule, run: Run, number: int) -> Extend:
    """Draw higher limits for a run that is finished; they may be of no use.

    Args:
        given: Its schedule.
        run: The run.
        number: How often higher limits were asked for before.
    """
    draw, limits = random.Random(f"extension {given.seed} {number}"), run.limits
    spare, heldout = draw.choice((10, 60, 250)), len(run.plan.heldout.seeds or ())
    raised = attrs.evolve(
        limits,
        train_rollouts=limits.train_rollouts + spare,
        heldout_rollouts=limits.heldout_rollouts + draw.choice((1, 4)) * heldout,
        total_rollouts=_more(limits.total_rollouts, spare + draw.choice((0, heldout))),
        proposals=_more(limits.proposals, 10),
        iterations=_more(limits.iterations, draw.choice((1, 6))),
        seconds=_more(limits.seconds, 40.0 + run.elapsed),
        cost_usd=draw.choice((_more(limits.cost_usd, 0.5), None)),
        prompt_tokens=_more(limits.prompt_tokens, 4000),
        completion_tokens=_more(limits.completion_tokens, 3000),
        total_tokens=_more(limits.total_tokens, 6000),
    )
    return Extend(raised, (f"number={number}",), draw.choice((None, ())))


def _more(limit: Any, by: float) -> Any:
    return None if limit is None else limit + by
