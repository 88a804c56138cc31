"""The search: select a parent, try it, have it improved, try the child, let it in if it is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from gepa_framework._core import Decision, accept, minibatch
from gepa_framework.engine.evidence import frames
from gepa_framework.engine.flow import Flow
from gepa_framework.engine.pool import Member
from gepa_framework.engine.proposing import propose
from gepa_framework.engine.run import Run
from gepa_framework.engine.stopping import stop_reason
from gepa_framework.errors import RunFailedError
from gepa_framework.types import Candidate, RejectedAttempt, RolloutFailure, Stage, TaskRow
from gepa_framework.types.events import (
    CandidateAccepted,
    CandidateEvaluated,
    CandidateRegistered,
    CandidateRejected,
    FrontierUpdated,
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
    if not (yield from _join(run, Member(run.seed, (), 0), Stage.SEED)):
        raise RunFailedError(f"not one rollout of the seed candidate was scored: {run.causes()}")


def search(run: Run) -> Flow[None]:
    """Iterate until a limit or a stopper says that it is enough."""
    run.searching = True
    while (reason := stop_reason(run)) is None:
        run.iteration += 1
        yield from _iterate(run)
        run.finished = run.iteration
    run.stopped = reason


def _iterate(run: Run) -> Flow[None]:
    plan, iteration = run.plan, run.iteration
    parent = run.pool.select(plan.selection, iteration)
    drawn = minibatch(plan.seed, iteration - 1, len(run.minibatch_pool), plan.minibatch_size)
    rows = [run.minibatch_pool[index] for index in drawn]
    run.emit(
        IterationStarted(
            iteration=iteration,
            parent_id=parent.candidate.id,
            rule=plan.selection,
            rows=tuple(row.id for row in rows),
        )
    )
    outcomes = yield from run.rollouts(parent.candidate, rows, Stage.PARENT, iteration=iteration)
    before = run.rewards(outcomes)
    if reason := _nothing_to_learn(run, before):
        run.emit(IterationSkipped(iteration=iteration, parent_id=parent.candidate.id, reason=reason))
        return
    evidence = frames(rows, outcomes)
    child = yield from propose(run, parent, evidence)
    if child is not None:
        yield from _try(run, parent, child, rows, before)


def _nothing_to_learn(run: Run, before: Mapping[int, float]) -> str:
    if not before:
        return "no rollout of the parent was scored"
    perfect = run.perfect_score
    if perfect is not None and min(before.values()) >= perfect:
        return f"the parent has a perfect score of {perfect} on every row of the minibatch"
    return ""


@attrs.frozen
class _Trial:
    """A child beside its parent on the rows that both were scored on."""

    before: tuple[float, ...]
    after: tuple[float, ...]


def _try(
    run: Run, parent: Member, child: Candidate, rows: Sequence[TaskRow], before: Mapping[int, float]
) -> Flow[None]:
    positions = list(before)
    outcomes = yield from run.rollouts(
        child, [rows[position] for position in positions], Stage.CHILD, iteration=run.iteration
    )
    after = run.rewards(outcomes)
    trial = _Trial(tuple(before[positions[i]] for i in after), tuple(after.values()))
    if not trial.after:
        failures = [outcome.message for outcome in outcomes if isinstance(outcome, RolloutFailure)]
        _reject(run, parent, child, None, f"no rollout of the child was scored: {failures[0]}")
        return
    plan = run.plan
    decision = accept(plan.acceptance, trial.before, trial.after, margin=plan.acceptance_margin)
    if not decision.accepted:
        _reject(run, parent, child, decision, "not better than its parent on the minibatch")
        return
    run.emit(
        CandidateAccepted(
            candidate_id=child.id,
            parent_id=parent.candidate.id,
            iteration=run.iteration,
            rule=plan.acceptance,
            before=decision.before_sum,
            after=decision.after_sum,
            delta=decision.delta,
            rows=decision.rows,
        )
    )
    yield from _join(run, Member(child, (parent.candidate.id,), run.iteration), Stage.FULL)


def _reject(run: Run, parent: Member, child: Candidate, decision: Decision | None, reason: str) -> None:
    run.emit(
        CandidateRejected(
            candidate_id=child.id,
            parent_id=parent.candidate.id,
            iteration=run.iteration,
            rule=run.plan.acceptance,
            reason=reason,
            before=decision.before_sum if decision else None,
            after=decision.after_sum if decision else None,
            delta=decision.delta if decision else None,
            rows=decision.rows if decision else 0,
        )
    )
    texts = parent.candidate.components
    attempt = RejectedAttempt(
        candidate_id=child.id,
        changes={name: text for name, text in child.components.items() if texts[name] != text},
        reason=reason,
        before=decision.before_sum / decision.rows if decision else None,
        after=decision.after_sum / decision.rows if decision else None,
    )
    run.pool.reject(parent.candidate.id, attempt)


def _join(run: Run, member: Member, stage: Stage) -> Flow[bool]:
    """Score a candidate on every Pareto row and let it into the pool; false when nothing was scored."""
    candidate = member.candidate
    outcomes = yield from run.rollouts(candidate, run.pareto, stage, iteration=member.iteration)
    scores = run.rewards(outcomes)
    previous = run.pool.best_score
    report = run.pool.add(member, scores) if scores else None
    run.emit(
        CandidateEvaluated(
            candidate_id=candidate.id,
            iteration=member.iteration,
            score=run.pool.frontier.mean(report.candidate) if report else None,
            coverage=len(scores),
            rows=len(run.pareto),
        )
    )
    if report is None:
        return False
    best, score = run.pool.best, run.pool.frontier.mean(run.pool.frontier.best())
    if previous is None or score > previous:
        run.improved_at = member.iteration
    run.emit(
        FrontierUpdated(
            candidate_id=candidate.id,
            iteration=member.iteration,
            improved=run.pool.cells(report.improved),
            tied=run.pool.cells(report.tied),
            survivors=run.pool.names(run.pool.frontier.survivors()),
            best_candidate_id=best.candidate.id,
            best_score=score,
        )
    )
    return True
