"""One iteration: select parents, try them, have them improved, try the children, let in what is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from gepa_framework.engine.evidence import evidence_of
from gepa_framework.engine.flow import Flow, gather
from gepa_framework.engine.pool import Member
from gepa_framework.engine.proposing import propose
from gepa_framework.engine.run import Run
from gepa_framework.engine.sampling import draw
from gepa_framework.engine.trial import Scored, Trial, try_children
from gepa_framework.engine.turn import Turn
from gepa_framework.types import Candidate, RolloutOutcome, RolloutResult, Stage, TaskRow
from gepa_framework.types.events import IterationSkipped, IterationStarted


@attrs.frozen
class _Pair:
    """A parent, a minibatch, and what came of the parent there."""

    parent: Member
    rows: tuple[TaskRow, ...]
    outcomes: tuple[RolloutOutcome, ...] = ()


def iterate(run: Run, turn: Turn) -> Flow[None]:
    """Carry out one iteration."""
    pairs = yield from _try_parents(run, turn, _draw(run, turn))
    learnable = [
        (pair, before, evidence_of(run, pair.rows, pair.outcomes))
        for pair in pairs
        if (before := _before(run, turn, pair))
    ]
    slots = [chosen for chosen in learnable for _ in range(run.plan.generating.proposals)]
    children: list[Candidate | None] = yield from gather(
        [
            propose(run, turn, pair.parent, evidence, slot=slot)
            for slot, (pair, _, evidence) in enumerate(slots)
        ]
    )
    yield from try_children(
        run,
        [
            Trial(turn, pair.parent, child, before)
            for (pair, before, _), child in zip(slots, children, strict=True)
            if child is not None
        ],
    )


def _draw(run: Run, turn: Turn) -> list[_Pair]:
    plan = run.plan
    parents = run.pool.select(plan.selecting, turn.number, plan.generating.parents)
    each = plan.generating.minibatches
    pairs = [
        _Pair(parent, tuple(draw(run, turn.minibatch + number * each + index)))
        for number, parent in enumerate(parents)
        for index in range(each)
    ]
    for pair in pairs:
        run.emit(
            IterationStarted(
                iteration=turn.number,
                parent_id=pair.parent.candidate.id,
                rule=plan.selecting.rule,
                rows=tuple(row.id for row in pair.rows),
            )
        )
    return pairs


def _try_parents(run: Run, turn: Turn, pairs: Sequence[_Pair]) -> Flow[list[_Pair]]:
    """Roll each parent out on its minibatches, on no row twice."""
    wanted: dict[str, dict[str, TaskRow]] = {}
    candidates = {pair.parent.candidate.id: pair.parent.candidate for pair in pairs}
    for pair in pairs:
        wanted.setdefault(pair.parent.candidate.id, {}).update({row.id: row for row in pair.rows})
    answers = yield from gather(
        [
            run.rollouts(candidates[name], tuple(rows.values()), Stage.PARENT, turn)
            for name, rows in wanted.items()
        ]
    )
    known = {
        name: dict(zip(rows, outcomes, strict=True))
        for (name, rows), outcomes in zip(wanted.items(), answers, strict=True)
    }
    return [
        _Pair(pair.parent, pair.rows, tuple(known[pair.parent.candidate.id][row.id] for row in pair.rows))
        for pair in pairs
    ]


def _before(run: Run, turn: Turn, pair: _Pair) -> list[Scored]:
    """Give the rows to compare on; none where there is nothing to learn."""
    rewards = run.rewards(pair.outcomes)
    if reason := _nothing_to_learn(run, rewards):
        parent_id = pair.parent.candidate.id
        run.emit(IterationSkipped(iteration=turn.number, parent_id=parent_id, reason=reason))
        return []
    return [
        Scored(pair.rows[position], reward, _objectives(pair.outcomes[position]))
        for position, reward in rewards.items()
    ]


def _objectives(outcome: RolloutOutcome) -> Mapping[str, float]:
    return outcome.objectives if isinstance(outcome, RolloutResult) else {}


def _nothing_to_learn(run: Run, before: Mapping[int, float]) -> str:
    if not before:
        return "no rollout of the parent was scored"
    perfect = run.perfect_score
    if perfect is not None and min(before.values()) >= perfect:
        return f"the parent has a perfect score of {perfect} on every row of the minibatch"
    return ""
