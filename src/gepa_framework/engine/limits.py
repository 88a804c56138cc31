"""Limits of a run, and what single calls are expected to take."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from gepa_framework.types import FREE, JSONScalar, Usage


@attrs.frozen
class Limits:
    """Hard limits; ``None`` means none.

    Attributes:
        train_rollouts: Rollouts that the search may use, the seed's evaluation included.
        heldout_rollouts: Rollouts that the heldout rows may use.
        total_rollouts: Rollouts in all.
        proposals: Proposals asked for, repair turns included.
        iterations: Iterations of the search.
        seconds: Time worked on the run.
        cost_usd: US dollars.
        prompt_tokens: Tokens read.
        completion_tokens: Tokens written.
        total_tokens: Tokens in all.
    """

    train_rollouts: int
    heldout_rollouts: int
    total_rollouts: int | None = None
    proposals: int | None = None
    iterations: int | None = None
    seconds: float | None = None
    cost_usd: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None

    def fields(self) -> Mapping[str, JSONScalar]:
        """Give the limits by name, those that are set."""
        return MappingProxyType({k: v for k, v in attrs.asdict(self).items() if v is not None})


@attrs.frozen
class Estimates:
    """What single calls are expected to take at the most; what is seen to be more counts from then on.

    Attributes:
        rollout: One attempt at a rollout.
        proposal: One proposal.
        rollout_seconds: How long a rollout takes.
        proposal_seconds: How long a proposal takes.
        attempts: How often one rollout may be tried.
    """

    rollout: Usage = FREE
    proposal: Usage = FREE
    rollout_seconds: float = 0.0
    proposal_seconds: float = 0.0
    attempts: int = 1
