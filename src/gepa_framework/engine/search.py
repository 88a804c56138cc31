"""The search: select a parent, try it, have it improved, try the child, let it in if it is better."""

from __future__ import annotations

from collections.abc import Mapping

from gepa_framework.engine.evidence import gather
from gepa_framework.engine.flow import Flow
from gepa_framework.engine.joining import join
from gepa_framework.engine.pool import Member
from gepa_framework.engine.proposing import propose
from gepa_framework.engine.run import Run
from gepa_framework.engine.sampling import draw
from gepa_framework.engine.stopping import stop_reason
from gepa_framework.engine.trial import try_child
from gepa_framework.engine.turn import OUTSIDE, Turn
from gepa_framework.errors import RunFailedError
from gepa_framework.types import Stage
from gepa_framework.types.events import (
    CandidateRegistered,
    IterationSkipped,
    IterationStarted,
)


def evaluate_seed(run: Run) -> Flow[None]:
    """Score the seed on the Pareto rows.

    Raises:
        RunFailedError: Not one of its rollouts was scored.
    """
    run.emit(
        CandidateRegistered(
            candidate_id=run.seed.id,
            parent_ids=(),
            iteration=0,
            source="seed",
            components=run.seed.components,
            changed=(),
            rationale="",
        )
    )
    run.pool.register(run.seed)
    if not (yield from join(run, Member(run.seed, (), 0), Stage.SEED, OUTSIDE)):
        raise RunFailedError(f"not one rollout of the seed candidate was scored: {run.causes()}")


def search(run: Run) -> Flow[None]:
    """Iterate until a limit or a stopper says that it is enough."""
    run.searching = True
    while (reason := stop_reason(run)) is None:
        run.iteration += 1
        yield from _iterate(run, Turn(run.iteration, run.iteration - 1))
        run.finished = run.iteration
    run.stopped = reason


def _iterate(run: Run, turn: Turn) -> Flow[None]:
    plan, iteration = run.plan, turn.number
    parent = run.pool.select(plan.selecting, iteration)
    rows = draw(run, turn.minibatch)
    run.emit(
        IterationStarted(
            iteration=iteration,
            parent_id=parent.candidate.id,
            rule=plan.selecting.rule,
            rows=tuple(row.id for row in rows),
        )
    )
    outcomes = yield from run.rollouts(parent.candidate, rows, Stage.PARENT, turn)
    before = run.rewards(outcomes)
    if reason := _nothing_to_learn(run, before):
        run.emit(IterationSkipped(iteration=iteration, parent_id=parent.candidate.id, reason=reason))
        return
    evidence = gather(run, rows, outcomes)
    child = yield from propose(run, turn, parent, evidence)
    if child is not None:
        yield from try_child(
            run, turn, parent, child, [(rows[position], reward) for position, reward in before.items()]
        )


def _nothing_to_learn(run: Run, before: Mapping[int, float]) -> str:
    if not before:
        return "no rollout of the parent was scored"
    perfect = run.perfect_score
    if perfect is not None and min(before.values()) >= perfect:
        return f"the parent has a perfect score of {perfect} on every row of the minibatch"
    return ""
