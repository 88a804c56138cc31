"""What a display is told of a run before it begins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from gepa_framework.app import GepaRun
    from gepa_framework.engine import Plan


@attrs.frozen
class RunFacts:
    """What a display is told of a run before it begins.

    Attributes:
        run_id: The run's name.
        run_dir: Where it writes.
        search_limit: Rollouts that the search may use.
        heldout_limit: Rollouts that the heldout rows take at the most.
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
            heldout_limit=heldout_rollouts(plan),
            pareto_rows=len(plan.pareto) or len(plan.train),
            replayed=run.events_on_record,
        )

    @property
    def limit(self) -> int:
        """Rollouts in all."""
        return self.search_limit + self.heldout_limit


def heldout_rollouts(plan: Plan) -> int:
    """Give the rollouts that the heldout rows take at the most: each once for seed, best and ties.

    There are never more candidates than the search has rollouts to evaluate in full.
    """
    rows, limits = len(plan.heldout), plan.limits
    candidates = max(2, limits.train_rollouts // max(1, len(plan.pareto) or len(plan.train)))
    return rows * min(candidates, limits.heldout_rollouts // max(rows, 1))
