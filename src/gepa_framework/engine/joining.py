"""Joining the pool: scored on every Pareto row, and given its place on the frontier."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gepa_framework.engine.flow import Flow
from gepa_framework.engine.pool import Member
from gepa_framework.engine.run import Run
from gepa_framework.engine.turn import Turn
from gepa_framework.types import RolloutOutcome, RolloutResult, Stage
from gepa_framework.types.events import CandidateEvaluated, FrontierUpdated


def join(
    run: Run,
    member: Member,
    stage: Stage,
    turn: Turn,
    known: Mapping[str, RolloutOutcome] = MappingProxyType({}),
) -> Flow[bool]:
    """Score a candidate on every Pareto row and let it into the pool; false when nothing was scored.

    Args:
        run: The run.
        member: Who joins.
        stage: Why the rollouts are run.
        turn: The iteration.
        known: What came of those that were run already, by row id.
    """
    candidate = member.candidate
    missing = [row for row in run.pareto if row.id not in known]
    answers = yield from run.rollouts(candidate, missing, stage, turn)
    found = {**known, **{row.id: answer for row, answer in zip(missing, answers, strict=True)}}
    outcomes = [found[row.id] for row in run.pareto]
    scores = run.rewards(outcomes)
    previous = run.pool.best_score
    objectives = {
        position: outcome.objectives
        for position, outcome in enumerate(outcomes)
        if isinstance(outcome, RolloutResult)
    }
    report = run.pool.add(member, scores, objectives) if scores else None
    run.emit(
        CandidateEvaluated(
            candidate_id=candidate.id,
            iteration=member.iteration,
            score=run.pool.frontier.mean(report.candidate) if report else None,
            coverage=len(scores),
            rows=len(run.pareto),
            stderr=run.pool.stderr(member) if report else None,
        )
    )
    if report is None:
        return False
    best, score = run.pool.best, run.pool.frontier.mean(run.pool.frontier.best())
    if previous is None or score > previous:
        run.improved_at = run.finished + 1
    run.emit(
        FrontierUpdated(
            candidate_id=candidate.id,
            iteration=member.iteration,
            improved=run.pool.cells(report.improved),
            tied=run.pool.cells(report.tied),
            survivors=run.pool.names(run.pool.frontier.survivors()),
            best_candidate_id=best.candidate.id,
            best_score=score,
            best_stderr=run.pool.stderr(best),
        )
    )
    return True
