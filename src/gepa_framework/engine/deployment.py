"""Deployment: which candidate a run gives as its best once the heldout rows are in."""

from __future__ import annotations

from gepa_framework.engine.improvement import paired
from gepa_framework.engine.measuring import measure
from gepa_framework.engine.plan import DeploymentRule
from gepa_framework.engine.pool import Member
from gepa_framework.engine.run import Run


def deployed(run: Run) -> Member:
    """Give the best candidate by the rule of the plan; the selected one until the heldout rows are in."""
    if run.plan.deployment_rule is DeploymentRule.HELDOUT_BEST:
        return heldout_best(run) or run.pool.best
    return run.pool.best


def heldout_best(run: Run) -> Member | None:
    """Give the best of those that were measured on the heldout rows; ``None`` until all are, or if none is.

    Each is compared with the selected candidate row by row. A row that was not scored for both says nothing,
    so a candidate whose rollouts failed cannot win by the few that did not. Who is no better than the
    selected candidate does not take its place; of several that are equally better, the oldest does.

    Raises:
        RunFailedError: Two rewards differ by more than the range of a double.
    """
    if run.verdict is None or run.pool.best.candidate.id not in run.heldout_scores:
        return None
    chosen, most = run.pool.best, 0.0
    for member in run.pool.members:
        lead = _lead(run, member)
        if lead > most:
            chosen, most = member, lead
    return chosen


def _lead(run: Run, member: Member) -> float:
    """Give the mean rise over the selected candidate, where rows not scored for both count as no rise."""
    rewards = run.heldout_rewards.get(member.candidate.id, {})
    differences = paired(run.heldout_rewards.get(run.pool.best.candidate.id, {}), rewards)
    mean = measure(differences).mean
    return 0.0 if mean is None else mean * (len(differences) / len(run.heldout))
