"""What a display is told of a run before it begins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from gepa_framework.app import GepaRun
    from gepa_framework.engine import Limits, Plan


@attrs.frozen
class RunFacts:
    """What a display is told of a run before it begins.

    Attributes:
        run_id: The run's name.
        run_dir: Where it writes.
        search_limit: Rollouts that the search may use.
        heldout_limit: Rollouts of heldout rows when the search uses all of its own.
        pareto_rows: Rows of a full evaluation.
        replayed: Events on record already; they are told again first.
    """

    run_id: str
    run_dir: Path
    search_limit: int
    heldout_limit: int
    pareto_rows: int
    replayed: int = 0

    @classmethod
    def of(cls, run: GepaRun) -> RunFacts:
        """Take from a run what a display shows."""
        plan = run.plan
        return cls(
            run_id=run.run_id,
            run_dir=run.run_dir,
            search_limit=plan.limits.train_rollouts,
            heldout_limit=all_rollouts(plan) - plan.limits.train_rollouts,
            pareto_rows=len(plan.pareto) or len(plan.train),
            replayed=run.events_on_record,
        )

    @property
    def limit(self) -> int:
        """Rollouts in all."""
        return self.search_limit + self.heldout_limit


def heldout_rollouts(plan: Plan) -> int:
    """Give the rollouts that the heldout rows take at the most, of a plan."""
    return most_heldout(plan.limits, len(plan.pareto) or len(plan.train), len(plan.heldout))


def all_rollouts(plan: Plan) -> int:
    """Give the rollouts that a run takes at the most, those of the heldout rows included."""
    return most_in_all(plan.limits, len(plan.pareto) or len(plan.train), len(plan.heldout))


def most_heldout(limits: Limits, full: int, rows: int) -> int:
    """Give the rollouts that the heldout rows take at the most: each once for seed, best and ties.

    There are never more candidates than there are rollouts to evaluate them in full before.

    Args:
        limits: The limits of the run.
        full: Rows of a full evaluation.
        rows: Heldout rows.
    """
    full = max(1, full)
    candidates = limits.train_rollouts // full
    if limits.total_rollouts is not None:
        candidates = min(candidates, limits.total_rollouts // (full + rows))
    return rows * min(max(2, candidates), limits.heldout_rollouts // max(rows, 1))


def most_in_all(limits: Limits, full: int, rows: int) -> int:
    """Give the rollouts that a run takes at the most; the arguments are those of `most_heldout`."""
    most, total = limits.train_rollouts + most_heldout(limits, full, rows), limits.total_rollouts
    return most if total is None else min(most, total)
