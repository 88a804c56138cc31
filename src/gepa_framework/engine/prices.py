"""Prices: what tokens cost where the container or the proposer does not say."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from gepa_framework.types import Usage


@attrs.frozen
class Price:
    """US dollars for a million tokens.

    Attributes:
        prompt: Tokens read.
        completion: Tokens written.
    """

    prompt: float
    completion: float

    def of(self, usage: Usage) -> float | None:
        """Give what tokens cost; ``None`` where they are not known by sort."""
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            return None
        return (usage.prompt_tokens * self.prompt + usage.completion_tokens * self.completion) / 1e6


@attrs.frozen
class Prices:
    """The price table.

    Attributes:
        models: Price by provider and model.
        rollout: Provider that rollouts run on, and the model where the container does not say.
        proposer: Provider that proposals come from, and the model where the proposer does not say.
    """

    models: Mapping[tuple[str, str], Price] = MappingProxyType({})
    rollout: tuple[str, str] = ("", "")
    proposer: tuple[str, str] = ("", "")

    def of_rollout(self, usage: Usage) -> Usage:
        """Give what a rollout took, with its cost where the table knows it."""
        if usage.cost_usd is not None:
            return usage
        return self._priced(usage, (self.rollout[0], usage.model or self.rollout[1]))

    def of_proposal(self, usage: Usage, model: str | None) -> Usage:
        """Give what a proposal took, with its cost where the table knows it."""
        return self._priced(usage, (self.proposer[0], model or self.proposer[1]))

    def _priced(self, usage: Usage, key: tuple[str, str]) -> Usage:
        if usage.cost_usd is not None or (price := self.models.get(key)) is None:
            return usage
        return attrs.evolve(usage, cost_usd=price.of(usage))
