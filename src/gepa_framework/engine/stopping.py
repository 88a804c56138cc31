"""When the search is over: hard limits first, then the stoppers in their order."""

from __future__ import annotations

from gepa_framework.engine.run import Run
from gepa_framework.types import StopReason


def no_more(run: Run, short: StopReason | None) -> StopReason | None:
    """Give the reason why nothing may be begun any more, if there is one.

    Args:
        run: The run.
        short: The limit that one more iteration might pass, if it counts.
    """
    return (
        _limit(run, run.iteration)
        or run.budget.unknown(run.limits)
        or _too_long(run)
        or short
        or _stopper(run, begun=True)
    )


def time_is_up(run: Run) -> StopReason | None:
    """Give the reason to end the search in the middle of what is under way, if there is one.

    What is under way was set aside for when it began: only the time, or a stopper that looks at it, can tell
    more now than then.
    """
    reason = _limit(run, run.finished) or _stopper(run)
    # What stopped the search already leaves what is under way alone.
    return None if reason and run.stopped and reason.kind == run.stopped.kind else reason


def _stopper(run: Run, *, begun: bool = False) -> StopReason | None:
    if not run.stoppers:
        return None
    view = run.view(begun=begun)
    return next((reason for stopper in run.stoppers if (reason := stopper.check(view))), None)


def _limit(run: Run, iterations: int) -> StopReason | None:
    for kind, limit, value in (
        ("max_generations", run.limits.iterations, iterations),
        ("max_time_seconds", run.limits.seconds, run.elapsed),
    ):
        if limit is not None and value >= limit:
            return StopReason(kind, limit, value, f"{kind} of {limit} is reached at {value}")
    return None


def _too_long(run: Run) -> StopReason | None:
    """Give the time limit when one more iteration is not expected to end before it."""
    estimates, limit = run.plan.estimates, run.limits.seconds
    expected = estimates.proposal_seconds + 3 * estimates.rollout_seconds
    if limit is None or run.elapsed + expected <= limit:
        return None
    message = f"{run.elapsed:g} of {limit:g} seconds are used, and an iteration may take {expected:g}"
    return StopReason("max_time_seconds", limit, run.elapsed, message)
