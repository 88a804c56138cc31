"""Figures that a run can reckon with: what lies beyond adds up to no number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

from gepa_framework.engine import Outcome, ProposalFailure
from gepa_framework.types import UNKNOWN, FailureKind, Proposal, RolloutFailure, RolloutResult, Usage

#: Sums of squares over all rows stay finite up to here.
MAX_REWARD: Final = 1e100
MAX_COST_USD: Final = 1e12
MAX_TOKENS: Final = 10**15


def bounded(outcome: Outcome) -> Outcome:
    """Give the outcome, or the failure that it is when a figure of it is out of range.

    A failure stays one; its usage is unknown then.
    """
    if type(outcome) is RolloutResult and abs(outcome.reward) <= MAX_REWARD and _usual(outcome.usage):
        return outcome  # nearly every one
    match outcome:
        case RolloutResult():
            faults = [*_reward_faults(outcome.reward), *_usage_faults(outcome.usage)]
            return _broken_rollout(faults) if faults else outcome
        case Proposal():
            faults = [*_usage_faults(outcome.usage)]
            return ProposalFailure("out_of_range", "; ".join(faults)) if faults else outcome
        case RolloutFailure() | ProposalFailure() if any(_usage_faults(outcome.usage)):
            return attrs.evolve(outcome, usage=UNKNOWN)
    return outcome


def _usual(usage: Usage) -> bool:
    """Tell whether everything is known and in range."""
    prompt, completion, total = usage.prompt_tokens, usage.completion_tokens, usage.total_tokens
    if usage.cost_usd is None or prompt is None or completion is None or total is None:
        return False
    most = MAX_TOKENS
    return (
        0 <= usage.cost_usd <= MAX_COST_USD
        and 0 <= prompt <= most
        and 0 <= completion <= most
        and 0 <= total <= most
    )


def _broken_rollout(faults: list[str]) -> RolloutFailure:
    return RolloutFailure(FailureKind.CONTRACT, "out_of_range", "; ".join(faults))


def _reward_faults(reward: float) -> Iterator[str]:
    if not abs(reward) <= MAX_REWARD:
        yield f"a reward must be between {-MAX_REWARD:g} and {MAX_REWARD:g}, got {reward:g}"


def _usage_faults(usage: Usage) -> Iterator[str]:
    if usage.cost_usd is not None and not 0 <= usage.cost_usd <= MAX_COST_USD:
        yield f"a cost must be between 0 and {MAX_COST_USD:g} US dollars, got {usage.cost_usd:g}"
    counts = (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens)
    if any(count is not None and not 0 <= count <= MAX_TOKENS for count in counts):
        yield f"a number of tokens must be between 0 and {MAX_TOKENS}"
