"""The rollouts of a run, gone through once: counts, sums and rewards, and nothing that is kept for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

#: Parts of a dollar that are counted.
NANO = 1_000_000_000
#: Rewards that tell how the pool stands; later stages count more: those of a minibatch stand in where a full
#: evaluation did not ask again.
_RANKS: Mapping[str, int] = {"candidate_minibatch": 0, "seed_full_train": 1, "candidate_full_train": 2}


@attrs.define
class Sums:
    """What some rollouts come to.

    Attributes:
        calls: Rollouts on record, failed ones included.
        failed: Those that gave no score.
        unpriced: Scored ones whose cost is not known.
        nano_usd: Billionths of a dollar of the others.
        uncounted: Scored ones whose tokens are not known.
        tokens: Tokens of the others.
    """

    calls: int = 0
    failed: int = 0
    unpriced: int = 0
    nano_usd: int = 0
    uncounted: int = 0
    tokens: int = 0

    def take(self, body: Mapping[str, Any]) -> None:
        """Add a rollout that was scored."""
        cost, tokens = body["cost_usd"], body["total_tokens"]
        self.calls += 1
        if cost is None:
            self.unpriced += 1
        elif cost:
            # A total of whole billionths does not depend on its order.
            self.nano_usd += round(cost * NANO)
        if tokens is None:
            self.uncounted += 1
        else:
            self.tokens += tokens

    def add(self, other: Sums) -> None:
        """Add other sums to these."""
        for name in attrs.fields_dict(Sums):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@attrs.define
class Rollouts:
    """What the rollouts of a run come to.

    Attributes:
        sums: By candidate and stage.
        rewards: The reward of a candidate on a row of the search, by candidate and row.
        seed_rows: Rows on which the seed was evaluated.
        seqs: Numbers of their events.
        heldout: Those of them on heldout rows.
    """

    sums: dict[tuple[str, str], Sums] = attrs.field(factory=dict)
    rewards: dict[tuple[str, str], float] = attrs.field(factory=dict)
    seed_rows: dict[str, None] = attrs.field(factory=dict)
    seqs: list[int] = attrs.field(factory=list)
    heldout: int = 0
    _ranks: dict[tuple[str, str], int] = attrs.field(factory=dict)

    def take(self, seq: int, body: Mapping[str, Any], *, failed: bool) -> None:
        """Take note of a rollout."""
        name, stage = body["candidate_id"], body["stage"]
        self.seqs.append(seq)
        self.heldout += stage == "heldout"
        sums = self.sums.get((name, stage))
        if sums is None:
            sums = self.sums[name, stage] = Sums()
        if failed:
            sums.calls += 1
            sums.failed += 1
        else:
            sums.take(body)
        rank = _RANKS.get(stage)
        if rank is not None:
            self._reward(name, body, rank)

    def _reward(self, name: str, body: Mapping[str, Any], rank: int) -> None:
        row_id = body["row_id"]
        if rank == _RANKS["seed_full_train"]:
            self.seed_rows[row_id] = None
        reward, key = body.get("reward"), (name, row_id)
        if reward is not None and rank >= self._ranks.get(key, 0):
            self.rewards[key], self._ranks[key] = reward, rank

    def by_stage(self) -> Mapping[str, Sums]:
        """Give what all come to, by stage, in the order in which stages were reached."""
        stages: dict[str, Sums] = {}
        for (_, stage), sums in self.sums.items():
            stages.setdefault(stage, Sums()).add(sums)
        return stages
