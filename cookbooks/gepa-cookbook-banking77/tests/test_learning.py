from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest

from gepa_cookbook_banking77.cards import seed_cards
from gepa_cookbook_banking77.data import Dataset, Row, load_dataset
from gepa_cookbook_banking77.lexical import index_cards
from gepa_cookbook_banking77.proposer import LexicalReflector
from gepa_framework.types import EvidenceFrame


@attrs.frozen
class Loop:
    """A plain GEPA loop without an engine: the best parent, a minibatch, strict improvement."""

    dataset: Dataset
    request_for: Callable[..., Any]
    frame_of: Callable[..., EvidenceFrame]

    def answers(self, text: str, rows: Sequence[Row]) -> list[str | None]:
        index = index_cards(text, self.dataset.labels)
        return [index.rank(row.query).answer for row in rows]

    def accuracy(self, text: str, rows: Sequence[Row]) -> float:
        return sum(self.hits(text, rows)) / len(rows)

    def hits(self, text: str, rows: Sequence[Row]) -> list[bool]:
        return [answer == row.label for answer, row in zip(self.answers(text, rows), rows, strict=True)]

    def propose(self, text: str, rows: Sequence[Row], seed: int) -> str:
        answers = self.answers(text, rows)
        frames = [
            self.frame_of(row.query, answer, row.label) for row, answer in zip(rows, answers, strict=True)
        ]
        proposal = asyncio.run(LexicalReflector().propose(self.request_for(text, frames, seed=seed)))
        return proposal.components.get("intent_cards", text)

    def run(self, chance: random.Random, *, pareto: int, minibatch: int, pool: int, iterations: int) -> str:
        train = self.dataset.splits["train"]
        best = seed_cards(self.dataset.labels)
        for _ in range(iterations):
            rows = chance.sample(train[pareto:pool], minibatch)
            child = self.propose(best, rows, chance.getrandbits(64))
            if sum(self.hits(child, rows)) > sum(self.hits(best, rows)):
                better = self.accuracy(child, train[:pareto]) > self.accuracy(best, train[:pareto])
                best = child if better else best
        return best


@pytest.fixture
def loop(sample: Dataset, request_for: Callable[..., Any], frame_of: Callable[..., Any]) -> Loop:
    return Loop(sample, request_for, frame_of)


def test_the_seed_leaves_room_on_the_sample(loop: Loop, sample: Dataset) -> None:
    text = seed_cards(sample.labels)
    for rows in sample.splits.values():
        assert 0.1 < loop.accuracy(text, rows) < 0.4


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_loop_learns_the_sample(
    loop: Loop, sample: Dataset, seed: int, lots: Callable[[object], random.Random]
) -> None:
    heldout = sample.splits["test"]
    before = loop.accuracy(seed_cards(sample.labels), heldout)
    best = loop.run(lots(seed), pareto=56, minibatch=84, pool=224, iterations=12)
    assert loop.accuracy(best, heldout) >= before + 0.15


def test_a_child_does_better_on_what_it_was_shown(loop: Loop, sample: Dataset) -> None:
    text, rows = seed_cards(sample.labels), sample.splits["train"][:40]
    assert loop.accuracy(loop.propose(text, rows, 1), rows) >= loop.accuracy(text, rows) + 0.3


def test_the_loop_learns_the_real_data(
    real_dir: Path, loop: Loop, lots: Callable[[object], random.Random]
) -> None:
    full = attrs.evolve(loop, dataset=load_dataset(real_dir))
    heldout = full.dataset.splits["test"][:500]
    assert full.accuracy(seed_cards(full.dataset.labels), heldout) == pytest.approx(0.4, abs=0.05)
    best = full.run(lots(0), pareto=200, minibatch=500, pool=8000, iterations=8)
    assert full.accuracy(best, heldout) >= 0.62
