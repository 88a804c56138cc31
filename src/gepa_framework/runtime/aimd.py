"""How many rollouts a container bears at once: found out by additive increase, multiplicative decrease."""

from __future__ import annotations

import attrs

#: Statuses that speak of load. 500 does not: it is as often a bug that one row brings out.
OVERLOAD_STATUSES = frozenset({408, 425, 429, 502, 503, 504, 529})


@attrs.frozen
class AimdRule:
    """How the width adapts.

    Attributes:
        initial: The width to begin with.
        min: The least width, at least 1.
        max: The greatest width.
        increase_step: How much wider it becomes at a time.
        decrease_step: How much narrower it becomes at a time, half the width at most; ``None`` for half.
        increase_after: Successes until it becomes wider.
        overload: HTTP statuses that say that the container has too much to do.
    """

    initial: int
    min: int
    max: int
    increase_step: int = 1
    decrease_step: int | None = None
    increase_after: int = 16
    overload: frozenset[int] = OVERLOAD_STATUSES

    @classmethod
    def fixed(cls, width: int) -> AimdRule:
        """Give the rule by which the width never changes."""
        return cls(width, width, width, overload=frozenset())


class Aimd:
    """A width that adapts to answers. Pure: no clock, no waiting.

    Every request is sent in an epoch, and every decrease begins a new one. An answer counts only if its
    request was sent in the epoch that still lasts: many refusals of one moment are one reason to become
    narrower, not many, and successes at another width say nothing of this one.

    Attributes:
        width: How many requests may be under way at once; from the rule's min to its max.
        epoch: How often the width was decreased.
    """

    def __init__(self, rule: AimdRule) -> None:
        self.rule = rule
        self.width = min(max(rule.initial, rule.min), rule.max)
        self.epoch = 0
        self._successes = 0

    def succeeded(self, epoch: int) -> bool:
        """Note an answer; tell whether the width has increased.

        Args:
            epoch: When its request was sent.
        """
        if epoch != self.epoch or self.width == self.rule.max:
            return False
        self._successes += 1
        if self._successes < self.rule.increase_after:
            return False
        self._successes = 0
        self.width = min(self.width + self.rule.increase_step, self.rule.max)
        return True

    def overloaded(self, epoch: int) -> bool:
        """Note a refusal for overload; tell whether the width has decreased.

        Args:
            epoch: When its request was sent.
        """
        if epoch != self.epoch:
            return False
        self._successes = 0
        half = self.width // 2
        step = self.rule.decrease_step
        narrower = max(self.rule.min, half if step is None else max(half, self.width - step))
        if narrower == self.width:
            return False
        self.width = narrower
        self.epoch += 1
        return True
