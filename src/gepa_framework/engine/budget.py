"""Budgets: what is spent, what is set aside, and whether more may be begun.

Work is begun only when its worst case fits beside everything that was begun before; its worst case is set
aside in a purse, actuals are taken out of it as they come in, and what is left goes back when it is over. So
no order of events can pass a limit: what could, was never begun.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import attrs

from gepa_framework.engine.ledger import Ledger, counts, nano
from gepa_framework.engine.limits import Estimates, Limits
from gepa_framework.types import JSONScalar, Stage, StopReason, Usage

_MONEY = ("cost_usd", "prompt_tokens", "completion_tokens", "total_tokens")


@attrs.frozen
class Need:
    """Calls that work may take at the most.

    Attributes:
        train: Rollouts on training rows.
        heldout: Rollouts on heldout rows.
        proposals: Proposals, repair turns included.
    """

    train: int = 0
    heldout: int = 0
    proposals: int = 0

    @property
    def rollouts(self) -> int:
        """Rollouts on either."""
        return self.train + self.heldout


@attrs.define(eq=False)
class Purse:
    """What is set aside for one piece of work, less what it has taken already."""

    _budget: Budget
    train: int
    heldout: int
    proposals: int

    def take_rollout(self, stage: Stage) -> None:
        """Note that one of the rollouts is in the books now."""
        if stage is Stage.HELDOUT:
            if self.heldout:
                self.heldout -= 1
                self._budget.heldout -= 1
        elif self.train:
            self.train -= 1
            self._budget.train -= 1

    def take_proposal(self) -> None:
        """Note that one of the proposals is in the books now."""
        if self.proposals:
            self.proposals -= 1
            self._budget.proposals -= 1

    def close(self) -> None:
        """Give back what was not needed."""
        self._budget.train -= self.train
        self._budget.heldout -= self.heldout
        self._budget.proposals -= self.proposals
        self.train = self.heldout = self.proposals = 0
        self._budget.open.pop(self, None)


@attrs.define
class _Call:
    """What one call may cost: the estimate, or the most that was seen where that is more. In whole units."""

    cost_usd: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0

    @classmethod
    def of(cls, usage: Usage) -> _Call:
        call = cls()
        call.learn(usage)
        return call

    def learn(self, usage: Usage) -> None:
        # Asked for every rollout, of which most are no dearer than the ones before.
        if usage.cost_usd and (seen := nano(usage.cost_usd)) > self.cost_usd:
            self.cost_usd = seen
        if (prompt := usage.prompt_tokens) and prompt > self.prompt_tokens:
            self.prompt_tokens = prompt
        if (completion := usage.completion_tokens) and completion > self.completion_tokens:
            self.completion_tokens = completion
        if (total := usage.total_tokens) and total > self.total_tokens:
            self.total_tokens = total


class Budget:
    """Limits, beside what is in the books and what is set aside.

    Args:
        ledger: The books.
        estimates: What single calls are expected to take.
        limbo: Commands that were revoked and may have begun; they count as if they had.

    Attributes:
        train: Rollouts on training rows that are set aside.
        heldout: Rollouts on heldout rows that are set aside.
        proposals: Proposals that are set aside.
        open: The purses that are not closed yet.
    """

    def __init__(self, ledger: Ledger, estimates: Estimates, limbo: Collection[str] = ()) -> None:
        self._ledger = ledger
        self._limbo = limbo
        self._attempts = estimates.attempts
        self._rollout = _Call.of(estimates.rollout)
        self._proposal = _Call.of(estimates.proposal)
        self.train = self.heldout = self.proposals = 0
        self.open: dict[Purse, None] = {}

    def set_aside(self, need: Need) -> Purse:
        """Set the worst case of some work aside."""
        self.train += need.train
        self.heldout += need.heldout
        self.proposals += need.proposals
        purse = Purse(self, need.train, need.heldout, need.proposals)
        self.open[purse] = None
        return purse

    def learn_rollout(self, usage: Usage) -> None:
        """Note what one attempt at a rollout took."""
        self._rollout.learn(usage)

    def learn_proposal(self, usage: Usage) -> None:
        """Note what one proposal took."""
        self._proposal.learn(usage)

    def unknown(self, limits: Limits) -> StopReason | None:
        """Give the limit that nobody can tell any more whether it holds, if there is one."""
        for name in _MONEY:
            limit = getattr(limits, name)
            if limit is not None and self._spent(name) is None:
                kind = f"max_{name}"
                return StopReason(kind, limit, None, f"{kind} is set and what was spent is not known")
        return None

    def spent_up(self, limits: Limits) -> bool:
        """Tell whether a limit on money or tokens is reached, or may be for all that is known.

        Work that was begun keeps to its purse, so this is so only where calls cost more than they were
        expected to, or do not say what they cost.
        """
        for name in _MONEY:
            limit = getattr(limits, name)
            if limit is not None and ((spent := self._spent(name)) is None or spent >= _whole(name, limit)):
                return True
        return False

    def short(self, limits: Limits, need: Need) -> StopReason | None:
        """Give the limit that the worst case of some work would pass, if there is one."""
        return self.unknown(limits) or next(self._passed(limits, need), None)

    def _passed(self, limits: Limits, need: Need) -> Iterator[StopReason]:
        books = self._ledger
        # What was given up under way was run all the same, for all that anybody knows.
        given_up = self._given_up()
        lost, heldout = given_up.train, books.heldout_rollouts
        total, train = books.rollouts + lost, books.train_rollouts + lost
        aside = self.train + self.heldout
        yield from _over("max_total_rollouts", limits.total_rollouts, total, aside, need.rollouts)
        if need.train:
            yield from _over("max_train_rollouts", limits.train_rollouts, train, self.train, need.train)
        if need.heldout:
            limit = limits.heldout_rollouts
            yield from _over("max_heldout_rollouts", limit, heldout, self.heldout, need.heldout)
        if need.proposals:
            asked = books.proposals + given_up.proposals
            yield from _over("max_proposals", limits.proposals, asked, self.proposals, need.proposals)
        for name in _MONEY:
            if (limit := getattr(limits, name)) is not None:
                yield from self._money(name, limit, need)

    def _money(self, name: str, limit: float, need: Need) -> Iterator[StopReason]:
        unit = 1e9 if name == "cost_usd" else 1
        spent = self._spent(name) or 0
        aside = self.worst(name, Need(self.train, self.heldout, self.proposals))
        wanted = self.worst(name, need)
        if spent + aside + wanted > _whole(name, limit) or spent >= _whole(name, limit):
            yield _reason(f"max_{name}", limit, spent / unit, aside / unit, wanted / unit)

    def _spent(self, name: str) -> int | None:
        """Give what counts against a limit: what is known, and the worst of what was given up under way."""
        known = self._ledger.known(name)
        if known is None:
            return None
        return known + self.worst(name, self._given_up())

    def _given_up(self) -> Need:
        rollouts, proposals = counts(self._limbo) if self._limbo else (0, 0)
        books = self._ledger
        return Need(
            train=books.abandoned_rollouts + rollouts, proposals=books.abandoned_proposals + proposals
        )

    def worst(self, name: str, need: Need) -> int:
        """Give the most that calls may take, in billionths of a dollar or in tokens."""
        rollout, proposal = getattr(self._rollout, name), getattr(self._proposal, name)
        worst: int = need.rollouts * self._attempts * rollout + need.proposals * proposal
        return worst


def _whole(name: str, limit: float) -> int:
    return nano(limit) if name == "cost_usd" else int(limit)


def _over(kind: str, limit: int | None, used: int, aside: int, need: int) -> Iterator[StopReason]:
    if limit is not None and used + aside + need > limit:
        yield _reason(kind, limit, used, aside, need)


def _reason(kind: str, limit: JSONScalar, used: float, aside: float, need: float) -> StopReason:
    held = f", {aside:.15g} are set aside" if aside else ""
    unit = "US dollars" if kind == "max_cost_usd" else kind.rsplit("_", 1)[1]
    message = f"{used:.15g} of {limit} {unit} are used{held}, and what comes next may need {need:.15g}"
    return StopReason(kind, limit, used, message)
