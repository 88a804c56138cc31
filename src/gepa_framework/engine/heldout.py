"""Heldout: the best candidate and the seed on rows that the search has never seen, once each."""

from __future__ import annotations

import math
from collections.abc import Collection

from gepa_framework.engine.flow import Flow
from gepa_framework.engine.run import HeldoutScore, Run
from gepa_framework.engine.turn import OUTSIDE
from gepa_framework.errors import RunFailedError
from gepa_framework.types import Stage
from gepa_framework.types.events import HeldoutCompleted, HeldoutStarted


def heldout(run: Run) -> Flow[None]:
    """Score the seed and the best candidate on the heldout rows, unless they were before.

    Raises:
        RunFailedError: Not one rollout of a candidate was scored.
    """
    best = run.pool.best.candidate
    both = {run.seed.id: run.seed, best.id: best}
    # A search that goes on after the heldout rows were looked at must not look at them again.
    chosen = {name: each for name, each in both.items() if name not in run.heldout_candidates}
    if not chosen:
        return
    run.heldout_candidates.update(chosen)
    run.emit(HeldoutStarted(candidates=tuple(chosen), rows=len(run.heldout)))
    for candidate in chosen.values():
        outcomes = yield from run.rollouts(candidate, run.heldout, Stage.HELDOUT, OUTSIDE)
        score = summarise(run.rewards(outcomes).values(), rows=len(run.heldout))
        if run.heldout and not score.coverage:
            raise RunFailedError(
                f"not one heldout rollout of {candidate.id} was scored: {run.causes()}",
                hint="the search is over and its best candidate is in best_candidate.json; "
                "mend the container and run again with the same cache for the heldout scores",
            )
        run.heldout_scores[candidate.id] = score
        run.emit(
            HeldoutCompleted(
                candidate_id=candidate.id,
                role="best" if candidate.id == best.id else "seed",
                score=score.score,
                stderr=score.stderr,
                coverage=score.coverage,
                rows=score.rows,
            )
        )


def summarise(rewards: Collection[float], *, rows: int) -> HeldoutScore:
    """Give mean and standard error (n - 1 in the variance) of the rewards."""
    count = len(rewards)
    if not count:
        return HeldoutScore(None, None, 0, rows)
    mean = math.fsum(rewards) / count
    if count == 1:
        return HeldoutScore(mean, None, 1, rows)
    variance = math.fsum((reward - mean) ** 2 for reward in rewards) / (count - 1)
    return HeldoutScore(mean, math.sqrt(variance / count), count, rows)
