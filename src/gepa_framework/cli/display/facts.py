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
            heldout_limit=heldout_rollouts(plan, extensions=len(run.extensions)),
            pareto_rows=len(plan.pareto) or len(plan.train),
            replayed=run.events_on_record,
        )

    @property
    def limit(self) -> int:
        """Rollouts in all."""
        return self.search_limit + self.heldout_limit


def heldout_rollouts(plan: Plan, *, extensions: int = 0) -> int:
    """Give the rollouts that the heldout rows take at the most: each once for the seed and for the best.

    Args:
        plan: What the run is decided by.
        extensions: How often it was extended; each time there may be another best.
    """
    return min(plan.limits.heldout_rollouts, (2 + extensions) * len(plan.heldout))
