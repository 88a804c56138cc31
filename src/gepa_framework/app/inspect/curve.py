"""The best score over the rollouts of a run, as numbers."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable

import attrs

from gepa_framework.app.inspect.record import Record


@attrs.frozen
class Point:
    """A candidate that joined the pool.

    Attributes:
        rollouts: Rollouts on record by then.
        candidate_id: The candidate.
        score: Its mean reward on the Pareto rows.
        best: The best mean reward from there on.
        stderr: Standard error of that best one; ``None`` where it is not known.
    """

    rollouts: int
    candidate_id: str
    score: float | None
    best: float
    stderr: float | None


@attrs.frozen
class Curve:
    """The best score over the rollouts.

    Attributes:
        points: One for each candidate that joined, in their order.
        rollouts: Where the line ends: rollouts of the search.
    """

    points: tuple[Point, ...]
    rollouts: int

    @classmethod
    def of(cls, points: Iterable[Point], rollouts: int) -> Curve:
        """Give the curve; it ends where its last point is, or later."""
        given = tuple(points)
        return cls(given, max(rollouts, given[-1].rollouts if given else 0))


def curve_of(record: Record) -> Curve:
    """Follow the best score."""
    seqs = record.rollouts.seqs
    scores = {fact.body["candidate_id"]: fact.body["score"] for fact in record.of("candidate.evaluated")}
    points = (
        Point(
            rollouts=bisect(seqs, fact.seq),
            candidate_id=fact.body["candidate_id"],
            score=scores.get(fact.body["candidate_id"]),
            best=fact.body["best_score"],
            stderr=fact.body.get("best_stderr"),
        )
        for fact in record.of("frontier.updated")
    )
    return Curve.of(points, len(seqs) - record.rollouts.heldout)
