"""What is put on record of a decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gepa_framework._core import Decision
from gepa_framework.engine.run import Run
from gepa_framework.types import RejectedAttempt
from gepa_framework.types.events import CandidateAccepted, CandidateRejected

if TYPE_CHECKING:
    from gepa_framework.engine.trial import Trial


def accepted(run: Run, trial: Trial, decision: Decision, rule: str) -> None:
    """Put an acceptance on record."""
    run.accepted += 1
    run.emit(
        CandidateAccepted(
            candidate_id=trial.child.id,
            parent_id=trial.parent.candidate.id,
            iteration=trial.turn.number,
            rule=rule,
            before=decision.before_sum,
            after=decision.after_sum,
            delta=decision.delta,
            rows=decision.rows,
            p=decision.p,
            evidence=decision.evidence,
            criterion=decision.criterion,
            objective_deltas=_deltas(run, decision),
        )
    )


def _deltas(run: Run, decision: Decision) -> Mapping[str, float | None]:
    return dict(zip(run.plan.objectives, decision.objective_deltas, strict=False))


def rejected(run: Run, trial: Trial, decision: Decision | None, rule: str, reason: str) -> None:
    """Put a rejection on record, where the next proposal from the same parent finds it."""
    run.emit(
        CandidateRejected(
            candidate_id=trial.child.id,
            parent_id=trial.parent.candidate.id,
            iteration=trial.turn.number,
            rule=rule,
            reason=reason,
            before=decision.before_sum if decision else None,
            after=decision.after_sum if decision else None,
            delta=decision.delta if decision else None,
            rows=decision.rows if decision else 0,
            p=decision.p if decision else None,
            evidence=decision.evidence if decision else None,
            criterion=decision.criterion if decision else run.plan.weighing.criterion,
            objective_deltas=_deltas(run, decision) if decision else {},
        )
    )
    attempt = RejectedAttempt(
        candidate_id=trial.child.id,
        changes=trial.child.changes_from(trial.parent.candidate),
        reason=reason,
        before=decision.before_sum / decision.rows if decision else None,
        after=decision.after_sum / decision.rows if decision else None,
    )
    run.pool.reject(trial.parent.candidate.id, attempt)
