"""What has been counted and spent, as far as events tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

_NANO: Final = 1_000_000_000
#: Events of what is paid for; not all of them tell what it cost.
_SPENDING: Final = frozenset(
    {
        "rollout.completed",
        "rollout.failed",
        "proposer.completed",
        "proposal.refused",
        "proposal.overtaken",
        "proposer.failed",
        "work.abandoned",
    }
)
#: What an iteration begins with; one may have several, for it may have several parents.
_BEGINNING: Final = frozenset({"iteration.started", "merge.proposed"})
_COUNTED: Final = {
    "rollout.completed": ("rollouts",),
    "rollout.failed": ("rollouts", "failed_rollouts"),
    "proposer.started": ("proposals",),
    "candidate.accepted": ("accepted",),
    "candidate.rejected": ("rejected",),
    "frontier.updated": ("candidates",),
}


@attrs.define
class Totals:
    """Counts and sums; whether a sum is of all its parts is told apart.

    Money is in whole billionths of a dollar, so that a sum does not depend on its order.
    """

    counts: dict[str, int] = attrs.field(factory=dict)
    _nano_usd: int = 0
    _tokens: int = 0
    _unpriced: bool = False
    _uncounted: bool = False

    @property
    def rollouts(self) -> int:
        """Rollouts finished, those that failed and heldout ones included."""
        return self.counts.get("rollouts", 0)

    def count(self, fields: Mapping[str, Any]) -> None:
        """Enter one event."""
        type_ = str(fields["type"])
        for name in _COUNTED.get(type_, ()):
            self.counts[name] = self.counts.get(name, 0) + 1
        if type_ in _BEGINNING:
            self.counts["iterations"] = max(self.counts.get("iterations", 0), int(fields["iteration"]))
        if type_ in _SPENDING:
            cost, tokens = fields.get("cost_usd"), fields.get("total_tokens")
            self._unpriced |= cost is None
            self._uncounted |= tokens is None
            self._nano_usd += round((cost or 0) * _NANO)
            self._tokens += tokens or 0

    def metrics(self) -> dict[str, float]:
        """Give all that is known."""
        found = {name: float(count) for name, count in self.counts.items()}
        decided = self.counts.get("accepted", 0) + self.counts.get("rejected", 0)
        if decided:
            found["acceptance_rate"] = self.counts.get("accepted", 0) / decided
        cost, tokens = self._nano_usd / _NANO, float(self._tokens)
        found |= {"known_cost_usd": cost, "known_tokens": tokens}
        if not self._unpriced:
            found["cost_usd"] = cost
        if not self._uncounted:
            found["total_tokens"] = tokens
        return found
