from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gepa_framework.engine.ledger import Ledger
from gepa_framework.types import FREE, UNKNOWN, Stage, Usage


def test_empty_books_are_zero_and_known():
    ledger = Ledger()
    assert (ledger.rollouts, ledger.cost_usd, ledger.usage) == (0, 0.0, Usage(0, 0, 0, 0.0))
    assert ledger.unpriced == ()


def test_rollouts_are_booked_by_what_they_are_for():
    ledger = Ledger()
    for stage in Stage:
        ledger.count_rollout(stage, FREE, failed=stage is Stage.CHILD)
    assert (ledger.train_rollouts, ledger.heldout_rollouts, ledger.failed_rollouts) == (4, 1, 1)
    assert ledger.rollouts == 5


def test_one_unknown_price_makes_the_whole_unknown_for_good():
    ledger = Ledger()
    ledger.count_rollout(Stage.SEED, Usage(1, 2, 3, 0.5), failed=False)
    ledger.count_rollout(Stage.SEED, Usage(1, 2, 3, None), failed=False)
    ledger.count_rollout(Stage.SEED, Usage(1, 2, 3, 0.5), failed=False)
    assert ledger.cost_usd is None
    assert ledger.usage == Usage(3, 6, 9, None)
    assert ledger.unpriced == ("container.rollout x 1",)


def test_each_kind_of_token_is_unknown_by_itself():
    ledger = Ledger()
    ledger.count_rollout(Stage.SEED, Usage(None, 2, 3, 0.5), failed=False)
    ledger.count_proposal(Usage(1, None, 3, 0.25))
    assert ledger.usage == Usage(None, None, 6, 0.75)


def test_boundaries_whose_cost_is_unknown_are_counted_apart():
    ledger = Ledger()
    for _ in range(3):
        ledger.count_rollout(Stage.SEED, UNKNOWN, failed=False)
    ledger.count_proposal(UNKNOWN)
    ledger.count_proposal(FREE)
    assert ledger.unpriced == ("container.rollout x 3", "proposer x 1")
    assert ledger.proposals == 2


def test_many_small_prices_add_up_exactly():
    ledger = Ledger()
    for _ in range(1000):
        ledger.count_proposal(Usage(0, 0, 0, 0.001))
    assert ledger.cost_usd == 1.0


@given(st.lists(st.integers(0, 10**9), max_size=50), st.randoms(use_true_random=False))
def test_the_order_of_prices_does_not_matter(nano, random):
    totals = []
    for order in (nano, random.sample(nano, len(nano))):
        ledger = Ledger()
        for price in order:
            ledger.count_rollout(Stage.SEED, Usage(0, 0, 0, price / 1e9), failed=False)
        totals.append(ledger.cost_usd)
    assert totals[0] == totals[1] == pytest.approx(sum(nano) / 1e9)


def test_a_run_of_unknown_cost_ends_with_an_unknown_cost(toy):
    game = toy.play(world=toy.World(usage=UNKNOWN))
    finished = game.events[-1]
    assert (finished.cost_usd, finished.total_tokens) == (None, None)
    assert game.run.ledger.unpriced == (f"container.rollout x {finished.rollouts}",)
