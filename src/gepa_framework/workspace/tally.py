"""Tallies: how much of everything a run has on record, counted as it is written.

A checkpoint keeps them, so that whoever asks for counts goes through what came after it and not through all
of a long run. They follow from the journal's rows, and can be counted again.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from gepa_framework.engine import Outcome
from gepa_framework.engine.ledger import nano
from gepa_framework.types import (
    EVENT_TYPES,
    EventBody,
    RolloutResult,
    Row,
    Usage,
    compact_json,
)
from gepa_framework.types.events import (
    CandidateRegistered,
    FrontierUpdated,
    ProposerStarted,
    RolloutCompleted,
    RolloutFailed,
    WorkAbandoned,
)
from gepa_framework.workspace.codec import attempt_usage, decode_outcome

#: Map to key to count.
Counts: TypeAlias = Mapping[str, Mapping[str, int]]

#: The maps of a tally, each with what its keys are.
MAPS: Final[Mapping[str, str]] = {
    "inputs": "kind of input, such as `rollout`",
    "accesses": "kind of input and how the cache was used for it, such as `rollout.hit`",
    "attempts": "family of failure of the attempts at rollouts that were tried again",
    "usage": "kind of input, or `attempt`, and what it consumed, such as `rollout.total_tokens`; money in "
    "billionths of a dollar, and `rollout.unknown_cost` counts the calls whose cost nobody told",
    "events": "type of event",
    "stages": "stage of the rollouts that are over, and how they ended, such as `heldout.completed`",
    "failures": "family of the rollouts that gave no score",
    "objectives": "name of the objectives scored, `reward` included",
    "verifications": "name of the objectives whose score was explained",
    "frames": "kind of the evidence frames that proposers were shown",
    "sources": "where candidates came from",
    "cells": "what became of frontier cells: `improved` or `tied`",
    "abandoned": "`rollouts` and `proposals` that were given up under way",
}
#: The kinds of input that paid for something.
_PAID: Final = frozenset(("rollout", "rollout_failure", "proposal", "proposal_failure"))


class Tally:
    """Counts of a run's rows.

    Args:
        counts: What was counted before.
        position: The last input that is counted.
        seq: The last event that is counted.

    Attributes:
        kept: The last event that a checkpoint counts.
    """

    def __init__(self, counts: Counts = {}, position: int = 0, seq: int = 0) -> None:  # noqa: B006 - only read
        self.position = position
        self.seq = self.kept = seq
        self._maps: dict[str, defaultdict[str, int]] = {
            name: defaultdict(int, counts.get(name, {})) for name in MAPS
        }
        self._inputs, self._events = self._maps["inputs"], self._maps["events"]

    def input(self, kind: str, access: str | None, outcome: Outcome | None) -> None:
        """Count an input; `outcome` is what it brought, if it brought what was paid for."""
        self.position += 1
        self._inputs[kind] += 1
        if access is not None:
            self._maps["accesses"][f"{kind}.{access}"] += 1
        if kind not in _PAID:
            return
        usage: Usage = outcome.usage  # type: ignore[union-attr]
        if usage.cost_usd != 0 or usage.total_tokens != 0:
            self._consumed(kind, usage)
        if type(outcome) is RolloutResult and outcome.rationales:
            for name in outcome.rationales:
                self._maps["verifications"][name] += 1

    def attempt(self, kind: str, usage: Usage) -> None:
        """Count an attempt at a rollout that another one took the place of."""
        self._maps["attempts"][kind] += 1
        self._consumed("attempt", usage)

    def event(self, body: EventBody) -> None:
        """Count an event."""
        self.seq += 1
        self._events[body.type] += 1
        if (more := _MORE.get(type(body))) is not None:
            more(self._maps, body)

    def _consumed(self, kind: str, usage: Usage) -> None:
        sums = self._maps["usage"]
        cost = usage.cost_usd
        for name, amount in (
            ("prompt_tokens", usage.prompt_tokens),
            ("completion_tokens", usage.completion_tokens),
            ("total_tokens", usage.total_tokens),
            ("cost", None if cost is None else nano(cost)),
        ):
            if amount is None:
                sums[f"{kind}.unknown_{name}"] += 1
            elif amount:
                sums[f"{kind}.{name}"] += amount

    def counts(self) -> dict[str, dict[str, int]]:
        """Give the counts that are not zero, in an order of their own."""
        return {name: dict(sorted(counted.items())) for name, counted in self._maps.items()}

    def text(self) -> str:
        """Give the counts as a checkpoint keeps them."""
        return compact_json(self.counts())

    def rows(self, inputs: Iterable[Row], attempts: Iterable[Row], events: Iterable[Row]) -> None:
        """Count rows of the journal, with the columns of its tables."""
        for _, kind, _, _, _, payload, access, _ in inputs:
            self.input(kind, access, decode_outcome(kind, payload) if kind in _PAID else None)
        for row in attempts:
            self.attempt(row[3], attempt_usage(row))
        for _, _, kind, _, body, _ in events:
            self.event(EVENT_TYPES[kind](**json.loads(body)))


_Maps: TypeAlias = Mapping[str, defaultdict[str, int]]


def _completed(maps: _Maps, body: Any) -> None:
    maps["stages"][body.stage + ".completed"] += 1
    objectives = maps["objectives"]
    objectives["reward"] += 1
    for name in body.objectives:
        objectives[name] += 1


def _failed(maps: _Maps, body: Any) -> None:
    maps["stages"][body.stage + ".failed"] += 1
    maps["failures"][body.kind] += 1


def _shown(maps: _Maps, body: Any) -> None:
    for kind, count in body.kinds.items():
        maps["frames"][kind] += count


def _registered(maps: _Maps, body: Any) -> None:
    maps["sources"][body.source] += 1


def _joined(maps: _Maps, body: Any) -> None:
    maps["cells"]["improved"] += len(body.improved)
    maps["cells"]["tied"] += len(body.tied)


def _abandoned(maps: _Maps, body: Any) -> None:
    maps["abandoned"]["rollouts"] += body.rollouts
    maps["abandoned"]["proposals"] += body.proposals


_MORE: Mapping[type[EventBody], Callable[[_Maps, Any], None]] = {
    RolloutCompleted: _completed,
    RolloutFailed: _failed,
    ProposerStarted: _shown,
    CandidateRegistered: _registered,
    FrontierUpdated: _joined,
    WorkAbandoned: _abandoned,
}
