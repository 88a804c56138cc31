"""Who is who at the end of a run: selected, best on the heldout rows, deployed, and what was measured."""

from __future__ import annotations

import attrs

from gepa_framework.engine import Member, Run, deployed, heldout_best


@attrs.frozen
class CandidateScore:
    """A candidate with the mean reward that it is known by.

    Attributes:
        id: The candidate.
        score: Its mean reward; ``None`` when no row was scored.
        stderr: Standard error of the mean; ``None`` for fewer than two scores.
        n: Rows scored.
        split: ``train``: on the Pareto rows; ``heldout``: on the heldout rows.
    """

    id: str
    score: float | None
    stderr: float | None
    n: int
    split: str


@attrs.frozen
class Deployment:
    """The candidate that a run gives as its best.

    Attributes:
        id: The candidate.
        rule: ``optimization_selected`` or ``heldout_best``.
    """

    id: str
    rule: str


def selected(run: Run) -> CandidateScore | None:
    """Give the candidate with the best Pareto mean; ``None`` while there is none."""
    return on_train(run, run.pool.best) if run.has_pool else None


def on_train(run: Run, member: Member) -> CandidateScore:
    """Give a member with its mean on the Pareto rows."""
    mean, coverage = run.pool.standing(member)
    return CandidateScore(member.candidate.id, mean, run.pool.stderr(member), coverage, "train")


def best_on_heldout(run: Run) -> CandidateScore | None:
    """Give the best of those measured on the heldout rows; ``None`` until all of them are."""
    member = heldout_best(run) if run.has_pool else None
    return None if member is None else _on_heldout(run, member.candidate.id)


def deployment(run: Run) -> Deployment | None:
    """Give the candidate that the run deploys; ``None`` until the heldout rows are in."""
    if run.verdict is None:
        return None
    return Deployment(deployed(run).candidate.id, run.plan.deployment_rule.value)


def measurements(run: Run) -> tuple[CandidateScore, ...]:
    """Give every candidate that was measured on the heldout rows, in that order."""
    return tuple(_on_heldout(run, candidate_id) for candidate_id in run.heldout_scores)


def _on_heldout(run: Run, candidate_id: str) -> CandidateScore:
    found = run.heldout_scores[candidate_id]
    return CandidateScore(candidate_id, found.score, found.stderr, found.coverage, "heldout")
