"""The books: rollouts, tokens and money, with unknown kept apart from zero."""

from __future__ import annotations

from collections.abc import Collection

import attrs

from gepa_framework.types import FREE, UNKNOWN, Stage, Usage

_NANO = 1_000_000_000


def nano(dollars: float) -> int:
    """Give whole billionths of a dollar."""
    return round(dollars * _NANO)


def counts(effect_ids: Collection[str]) -> tuple[int, int]:
    """Give how many rollouts and how many proposals are among commands."""
    return (
        sum(name.startswith("rollout/") for name in effect_ids),
        sum(name.startswith("proposal/") for name in effect_ids),
    )


@attrs.define
class Totals:
    """Sums of tokens and money, each part ``None`` once any of it is unknown.

    Money is kept in whole billionths of a dollar, so that a total does not depend on its order.
    """

    _nano_usd: int | None = 0
    _prompt: int | None = 0
    _completion: int | None = 0
    _total: int | None = 0

    def consume(self, usage: Usage) -> None:
        """Add what one call consumed."""
        cost = usage.cost_usd
        # What is zero is known and adds nothing.
        if cost != 0:
            self._nano_usd = _add(self._nano_usd, None if cost is None else nano(cost))
        if usage.prompt_tokens != 0:
            self._prompt = _add(self._prompt, usage.prompt_tokens)
        if usage.completion_tokens != 0:
            self._completion = _add(self._completion, usage.completion_tokens)
        if usage.total_tokens != 0:
            self._total = _add(self._total, usage.total_tokens)

    def whole(self, name: str) -> int | None:
        """Give one sum by its name in `Usage`, money in billionths of a dollar."""
        return {
            "cost_usd": self._nano_usd,
            "prompt_tokens": self._prompt,
            "completion_tokens": self._completion,
            "total_tokens": self._total,
        }[name]

    @property
    def usage(self) -> Usage:
        """The sums."""
        cost = None if self._nano_usd is None else self._nano_usd / _NANO
        return Usage(self._prompt, self._completion, self._total, cost)


@attrs.define
class Ledger:
    """Running totals of what the run consumed.

    Attributes:
        train_rollouts: Rollouts of the search.
        heldout_rollouts: Rollouts on heldout rows.
        failed_rollouts: Those of either that gave no score.
        superseded_attempts: Failed attempts at rollouts that were tried again.
        proposals: Proposals asked for.
        unpriced_rollouts: Attempts at rollouts whose cost is not known.
        unpriced_proposals: Proposals whose cost is not known.
        abandoned_rollouts: Rollouts that were given up under way; what they took is not known.
        abandoned_proposals: Proposals that were given up under way; what they took is not known.
    """

    train_rollouts: int = 0
    heldout_rollouts: int = 0
    failed_rollouts: int = 0
    superseded_attempts: int = 0
    proposals: int = 0
    unpriced_rollouts: int = 0
    unpriced_proposals: int = 0
    abandoned_rollouts: int = 0
    abandoned_proposals: int = 0
    _all: Totals = attrs.field(factory=Totals)
    _outcomes: Totals = attrs.field(factory=Totals)

    def count_rollout(self, stage: Stage, usage: Usage, *, failed: bool) -> None:
        """Enter one rollout."""
        if stage is Stage.HELDOUT:
            self.heldout_rollouts += 1
        else:
            self.train_rollouts += 1
        self.failed_rollouts += failed
        self.unpriced_rollouts += usage.cost_usd is None
        self._consume(usage)

    def count_attempt(self, usage: Usage) -> None:
        """Enter an attempt at a rollout that another one took the place of."""
        self.superseded_attempts += 1
        self.unpriced_rollouts += usage.cost_usd is None
        self._all.consume(usage)

    def count_proposal(self, usage: Usage) -> None:
        """Enter one proposal."""
        self.proposals += 1
        self.unpriced_proposals += usage.cost_usd is None
        self._consume(usage)

    def abandon(self, rollouts: int, proposals: int) -> None:
        """Enter calls that were given up under way."""
        self.abandoned_rollouts += rollouts
        self.abandoned_proposals += proposals

    def known(self, name: str) -> int | None:
        """Give what is known to be consumed, in tokens or billionths of a dollar; ``None`` if some is not.

        What was given up under way is left out.
        """
        return self._all.whole(name)

    def _consume(self, usage: Usage) -> None:
        if usage is FREE:
            return  # there are many rollouts without a model
        self._all.consume(usage)
        self._outcomes.consume(usage)

    @property
    def rollouts(self) -> int:
        """Rollouts in all."""
        return self.train_rollouts + self.heldout_rollouts

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The boundaries whose cost is not known, with how many calls that is."""
        parts = (
            ("container.rollout", self.unpriced_rollouts),
            ("proposer", self.unpriced_proposals),
            ("container.rollout given up under way", self.abandoned_rollouts),
            ("proposer given up under way", self.abandoned_proposals),
        )
        return tuple(f"{boundary} x {count}" for boundary, count in parts if count)

    @property
    def cost_usd(self) -> float | None:
        """US dollars spent; ``None`` when any part is unknown."""
        return self.usage.cost_usd

    @property
    def usage(self) -> Usage:
        """Everything consumed, each part ``None`` when any of it is unknown."""
        return UNKNOWN if self.abandoned_rollouts or self.abandoned_proposals else self._all.usage

    @property
    def outcome_usage(self) -> Usage:
        """What the outcomes on record consumed: the same in equal runs, whatever had to be tried again."""
        return self._outcomes.usage


def _add(total: int | None, more: int | None) -> int | None:
    return None if total is None or more is None else total + more
