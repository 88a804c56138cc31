"""A run at a glance: how it stands, what it found and what it took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from gepa_framework.app.inspect.costs import Costs, costs_of
from gepa_framework.app.inspect.record import Record
from gepa_framework.app.inspect.standing import Standing, standing


@attrs.frozen
class Verdict:
    """Whether the selected candidate is better than the seed on the heldout rows: `heldout.verdict`."""

    verdict: str
    candidate_id: str
    n: int
    differing: int
    mean_difference: float | None
    stderr: float | None
    p: float | None
    confidence: float
    reason: str


@attrs.frozen
class Best:
    """The candidate that a run gives as its best, or the best so far.

    Attributes:
        candidate_id: Its id.
        score: Its mean reward on the Pareto rows.
        stderr: Standard error of that mean.
        rule: By which rule it is deployed; ``best_so_far`` until that is decided.
    """

    candidate_id: str
    score: float | None
    stderr: float | None
    rule: str


@attrs.frozen
class Overview:
    """A run at a glance.

    Attributes:
        run_id: Its name.
        run_dir: Its directory.
        location: Where its journal is.
        framework: The version that it was begun with.
        standing: How it stands.
        best: Its best candidate; ``None`` while there is none.
        seed_score: The seed's mean reward on the Pareto rows.
        seed_stderr: Standard error of that mean.
        verdict: On the heldout rows; ``None`` until they are in.
        iterations: Iterations begun.
        candidates: Candidates registered, rejected ones included.
        pool: Candidates that joined the pool.
        rollouts: Rollouts on record, failed ones included.
        failed_rollouts: Those that gave no score.
        elapsed_seconds: Time worked on it.
        limits: The limits that hold.
        costs: What it took.
    """

    run_id: str
    run_dir: str
    location: str
    framework: str
    standing: Standing
    best: Best | None
    seed_score: float | None
    seed_stderr: float | None
    verdict: Verdict | None
    iterations: int
    candidates: int
    pool: int
    rollouts: int
    failed_rollouts: int
    elapsed_seconds: float
    limits: Mapping[str, Any]
    costs: Costs


def overview_of(record: Record) -> Overview:
    """Look at a run."""
    seed = next((fact.body for fact in record.of("candidate.evaluated")), {})
    limits = record.last("gepa.run.started", "gepa.run.extended")
    return Overview(
        run_id=record.run_id,
        run_dir=str(record.run_dir),
        location=record.location,
        framework=record.meta.get("framework", ""),
        standing=standing(record),
        best=best_of(record),
        seed_score=seed.get("score"),
        seed_stderr=seed.get("stderr"),
        verdict=_verdict(record),
        iterations=max((fact.body["iteration"] for fact in record.of("iteration.started")), default=0),
        candidates=sum(1 for _ in record.of("candidate.registered")),
        pool=sum(1 for _ in record.of("frontier.updated")),
        rollouts=len(record.rollouts.seqs),
        failed_rollouts=sum(sums.failed for sums in record.rollouts.sums.values()),
        elapsed_seconds=record.elapsed_seconds,
        limits=dict(limits.body["limits"]) if limits else {},
        costs=costs_of(record),
    )


def best_of(record: Record) -> Best | None:
    """Give the candidate that the run gives as its best, or the best so far."""
    front = record.last("frontier.updated")
    if front is None:
        return None
    decided = record.last("deployment.decided")
    name, rule = front.body["best_candidate_id"], "best_so_far"
    if decided is not None and decided.seq > front.seq:
        name, rule = decided.body["candidate_id"], decided.body["rule"]
    scores = (fact.body for fact in record.of("candidate.evaluated") if fact.body["candidate_id"] == name)
    measured = next(scores, {})
    return Best(name, measured.get("score"), measured.get("stderr"), rule)


def _verdict(record: Record) -> Verdict | None:
    last = record.last("heldout.verdict", "gepa.run.extended")
    return Verdict(**last.body) if last is not None and last.type == "heldout.verdict" else None
