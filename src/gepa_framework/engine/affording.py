"""How many candidates the budget lets be run on the heldout rows."""

from __future__ import annotations

from gepa_framework.engine.budget import Need
from gepa_framework.engine.run import Run


def affordable(run: Run, rows: int) -> int:
    """Give how many candidates may be run on `rows` heldout rows each, beside what is set aside.

    None once a limit is reached, or may be for all that is known.
    """
    limits = run.limits
    if not rows or (limits.seconds is not None and run.elapsed >= limits.seconds):
        return 0
    most = len(run.pool.members)
    for count in range(most):
        if run.budget.short(limits, Need(heldout=(count + 1) * rows)) is not None:
            return count
    return most
