"""What the heldout budget holds beyond the seed and the selected candidate."""

from __future__ import annotations

from gepa_framework.engine.run import Run

_SPENT = ("cost_usd", "prompt_tokens", "completion_tokens", "total_tokens")


def affordable(run: Run, rows: int) -> int:
    """Give how many candidates can be run on `rows` heldout rows each; 0 once a limit of spending is reached.

    The rollouts of two were set aside before the run began, so those are not this function's to grant.
    """
    if _spent_up(run):
        return 0
    return (run.plan.limits.heldout_rollouts - run.ledger.heldout_rollouts) // max(rows, 1)


def _spent_up(run: Run) -> bool:
    limits, usage = run.plan.limits, run.ledger.usage
    pairs = [(limits.seconds, run.elapsed), *((getattr(limits, k), getattr(usage, k)) for k in _SPENT)]
    return any(limit is not None and (value is None or value >= limit) for limit, value in pairs)
