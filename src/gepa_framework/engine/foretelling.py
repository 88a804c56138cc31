"""Foretelling: when a child can no longer be accepted, whatever its rollouts that are not in yet come to.

Only sound bounds count: a reward that cannot be bettered must be declared (``gepa.perfect_score``) and hold,
and a row without a score may leave the comparison, so that it counts as the best of both.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

from gepa_framework.engine.plan import FailedRollouts
from gepa_framework.engine.run import Run
from gepa_framework.types import RolloutOutcome, RolloutResult

#: Rules whose decision follows from the sums alone, with whether equal is good enough.
_RULES: Mapping[str, bool] = {"strict_improvement": False, "improvement_or_equal": True}
#: What objectives may do that can only turn an acceptance down.
_CRITERIA = ("primary", "protected_objective_guard")

Seen = Mapping[str, RolloutOutcome]


def foretold(
    run: Run, before: Sequence[tuple[str, float]], tell: Callable[[str], None]
) -> Callable[[Seen], bool] | None:
    """Give what can tell, from the rollouts that are in, that the child will be refused.

    Args:
        run: The run.
        before: Id of each row with the parent's reward on it.
        tell: Called with the reason, once.
    """
    plan = run.plan
    top, ties = plan.perfect_score, _RULES.get(plan.accepting.rule)
    if not plan.pipelining.speculative or top is None or ties is None:
        return None
    if plan.weighing.criterion not in _CRITERIA:
        return None

    def hopeless(seen: Seen) -> bool:
        if run.highest_reward > top or len(seen) == len(before):
            return False
        parts = list(_parts(run, before, seen, top))
        most = math.fsum(parts)
        # Rounded sums are what is compared in the end: where they can be off, so can this be.
        slack = 0.0 if _are_exact(parts) else len(parts) * sys.float_info.epsilon * math.fsum(map(abs, parts))
        if most > -slack or (ties and most == 0):
            return False
        tell(
            f"could not be accepted any more after {len(seen)} of {len(before)} rows: at best, it would have "
            f"been {most:+g} beside its parent"
        )
        return True

    return hopeless


def _are_exact(parts: Sequence[float]) -> bool:
    """Tell whether sums of these, in whatever order, are not rounded: all are few and coarse enough."""
    return all(abs(part) < 2**20 and (part * 2**20).is_integer() for part in parts) and len(parts) < 2**12


def _parts(run: Run, before: Sequence[tuple[str, float]], seen: Seen, top: float) -> Iterator[float]:
    """Give the terms of the best that the sum of differences, less the margin, can still come to."""
    for row_id, parent in before:
        outcome = seen.get(row_id)
        if outcome is None:
            if top > parent:
                yield from (top, -parent)
        elif isinstance(outcome, RolloutResult):
            yield from (outcome.reward, -parent, -run.plan.accepting.margin)
        elif run.plan.failed_rollouts is FailedRollouts.SCORE_ZERO:
            yield from (0.0, -parent, -run.plan.accepting.margin)
