"""From the configuration to the limits that the runtime holds calls to."""

from __future__ import annotations

from typing import Final

from gepa_framework.config.sections.gepa import GepaSection
from gepa_framework.config.sections.pipeline import PipelineTable
from gepa_framework.runtime import AimdRule, CallLimits

#: What a transport may take beside following a rollout: finding, submitting, fetching and terminating it.
_MARGIN_SECONDS: Final = 300.0
#: Where no step is written, it takes so many to cross the whole width.
_STEPS: Final = 12


def aimd_rule(pipeline: PipelineTable) -> AimdRule:
    """Give the rule by which the number of rollouts at once adapts; ``workers.rollout`` is the most."""
    table, workers = pipeline.adaptive_rollout_concurrency, pipeline.workers.rollout
    if not table.enabled:
        return AimdRule.fixed(workers)
    most = min(table.max or workers, workers)
    return AimdRule(
        initial=min(table.initial or most, most),
        min=min(table.min, most),
        max=most,
        increase_step=table.increase_step or max(most // _STEPS, 1),
        decrease_step=table.decrease_step,
        increase_after=table.increase_after_successes,
        overload=frozenset(table.overload_status_codes),
    )


def call_limits(gepa: GepaSection) -> CallLimits:
    """Give the seconds that one call of a plugin may take.

    In the submission mode ``sync`` a rollout is one request, and how long it may take is the transport's own
    affair; only the limit of all calls holds.
    """
    if gepa.rollout_submission_mode == "async":
        return CallLimits(gepa.rollout_async_timeout_seconds + _MARGIN_SECONDS, gepa.call_timeout_seconds)
    return CallLimits(gepa.call_timeout_seconds, gepa.call_timeout_seconds)
