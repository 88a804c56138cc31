"""When the search is over: hard limits first, then the stoppers in their order."""

from __future__ import annotations

from gepa_framework.engine.run import Run
from gepa_framework.types import StopReason


def stop_reason(run: Run) -> StopReason | None:
    """Give the reason to end the search now, if there is one."""
    return _limit_reached(run) or _stopper_says(run)


def _stopper_says(run: Run) -> StopReason | None:
    view = run.view()
    return next((reason for stopper in run.stoppers if (reason := stopper.check(view))), None)


def _limit_reached(run: Run) -> StopReason | None:
    limits, usage = run.limits, run.ledger.usage
    for kind, limit, value in (
        ("max_generations", limits.iterations, run.finished),
        ("max_time_seconds", limits.seconds, run.elapsed),
        ("max_cost_usd", limits.cost_usd, usage.cost_usd),
        ("max_prompt_tokens", limits.prompt_tokens, usage.prompt_tokens),
        ("max_completion_tokens", limits.completion_tokens, usage.completion_tokens),
        ("max_total_tokens", limits.total_tokens, usage.total_tokens),
    ):
        if limit is None:
            continue
        if value is None:
            return StopReason(kind, limit, None, f"{kind} is set and what was spent is not known")
        if value >= limit:
            return StopReason(kind, limit, value, f"{kind} of {limit} is reached at {value}")
    return _rollouts_left(run)


def _rollouts_left(run: Run) -> StopReason | None:
    if run.iteration > run.finished:
        return None  # what the iteration under way may need was set aside when it began
    # An iteration that could not be finished would spend rollouts on a candidate that never gets in.
    # Further rows that a rule asks for are Pareto rows, and count towards the evaluation.
    size = min(run.plan.minibatch_size, len(run.minibatch_pool))
    needed = 2 * size + len(run.pareto)
    limit, used = run.limits.train_rollouts, run.ledger.train_rollouts
    if used + needed <= limit:
        return None
    message = f"{used} of {limit} rollouts are used and one more iteration may need {needed}"
    return StopReason("max_rollouts", limit, used, message)
