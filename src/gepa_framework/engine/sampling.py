"""Drawing rows: the minibatch of an iteration, and what an undecided comparison asks for besides."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import islice

from gepa_framework._core import (
    failure_weighted_minibatch,
    minibatch,
    ordered_minibatch,
    stratified_minibatch,
)
from gepa_framework.engine.pool import Member
from gepa_framework.engine.run import Run
from gepa_framework.engine.turn import Turn
from gepa_framework.types import JSONValue, TaskRow, digest

#: Where the numbers of further draws begin, far from those of iterations.
_FURTHER = 1 << 40


def draw(run: Run, index: int) -> list[TaskRow]:
    """Draw a minibatch by its number, from 0."""
    plan, pool = run.plan, run.minibatch_pool
    rows, size = len(run.minibatch_pool), run.plan.minibatch_size
    match plan.sampling.rule:
        case "ordered":
            drawn = ordered_minibatch(index, rows, size)
        case "stratified":
            # The rows of a run do not change: they are numbered once.
            run.strata = run.strata or strata(pool, plan.sampling.field)
            drawn = stratified_minibatch(plan.seed, index, run.strata, size)
        case "failure_weighted":
            floor = plan.sampling.floor
            drawn = failure_weighted_minibatch(plan.seed, index, _misses(run), size, floor=floor)
        case _:
            drawn = minibatch(plan.seed, index, rows, size)
    return [pool[position] for position in drawn]


def further(
    run: Run, turn: Turn, parent: Member, used: Collection[str], count: int
) -> list[tuple[TaskRow, float]]:
    """Draw Pareto rows that a comparison has not used, with what the parent scored on each.

    The parent has been there, so that only the child must be rolled out, and what it does there is kept for
    its evaluation: a long comparison costs little more than the evaluation that it may save.
    """
    order = minibatch(run.plan.seed, _FURTHER + turn.number, len(run.pareto), len(run.pareto))
    scored = ((run.pareto[position], run.pool.score(parent, position)) for position in order)
    fresh = ((row, score) for row, score in scored if score is not None and row.id not in used)
    return list(islice(fresh, count))


def strata(rows: Collection[TaskRow], field: str) -> list[int]:
    """Number the rows by what they hold at a dotted path; those without it have a number of their own."""
    numbers: dict[str, int] = {}
    return [numbers.setdefault(digest([_at(row, field)]), len(numbers)) for row in rows]


def _at(row: TaskRow, field: str) -> JSONValue:
    value: JSONValue = row.data
    for part in field.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _misses(run: Run) -> list[float]:
    """Give for each row of the pool how much it is missed: by the survivors, or by whoever tried it last."""
    perfect = 1.0 if run.perfect_score is None else run.perfect_score
    known = dict(zip(run.pool.rows, run.pool.frontier.misses(perfect), strict=True))
    for row in run.minibatch_pool:
        if row.id not in known:
            known[row.id] = float(run.latest.get(row.id, 0.0) < perfect)
    return [known[row.id] for row in run.minibatch_pool]
