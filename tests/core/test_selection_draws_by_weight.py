from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from itertools import accumulate
from math import sqrt

import pytest

from gepa_framework._core import STREAM_SELECTION, STREAM_TIES, Frontier, Rng, select

POOL = [[1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 0], [0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0]]


@pytest.fixture
def frontier():
    frontier = Frontier(6)
    for scores in POOL:
        frontier.add(scores)
    return frontier


def chi_square(counts, weights):
    draws, total = sum(counts.values()), sum(weights.values())
    expected = {i: draws * weight / total for i, weight in weights.items()}
    return sum((counts[i] - wanted) ** 2 / wanted for i, wanted in expected.items())


def within_four_deviations(statistic, freedom):
    return statistic < freedom + 4 * sqrt(2 * freedom)


def test_weights_are_the_fronts_held_by_each_survivor(frontier):
    assert frontier.weights() == [(0, 3), (1, 3), (2, 1)]


def test_a_pareto_draw_is_one_bounded_draw_along_the_weights(frontier):
    ends = list(accumulate(weight for _, weight in frontier.weights()))
    for i in range(500):
        place = bisect_right(ends, Rng(3, STREAM_SELECTION, i).below(ends[-1]))
        rng = Rng(3, STREAM_SELECTION, i)
        assert select(frontier, "pareto", rng) == frontier.weights()[place][0]


def test_pareto_draws_pass_a_chi_square_test(frontier):
    counts = Counter(select(frontier, "pareto", Rng(3, STREAM_SELECTION, i)) for i in range(7000))
    weights = dict(frontier.weights())
    assert set(counts) == set(weights)
    assert within_four_deviations(chi_square(counts, weights), len(weights) - 1)


def test_draws_out_of_one_stream_pass_a_chi_square_test_too(frontier):
    rng = Rng(3, STREAM_SELECTION, 0)
    counts = Counter(select(frontier, "pareto", rng) for _ in range(7000))
    assert within_four_deviations(chi_square(counts, dict(frontier.weights())), 2)


def test_weighted_choice_passes_a_chi_square_test():
    rng = Rng(3, STREAM_TIES, 0)
    weights = {0: 0.5, 1: 2, 2: 1.25, 3: 7}
    counts = Counter(rng.choice(list(weights.values())) for _ in range(10_000))
    assert within_four_deviations(chi_square(counts, weights), 3)


def test_bounded_draws_pass_a_chi_square_test():
    rng = Rng(3, STREAM_TIES, 0)
    counts = Counter(rng.below(37) for _ in range(37_000))
    assert within_four_deviations(chi_square(counts, dict.fromkeys(range(37), 1)), 36)


def test_current_best_draws_nothing(frontier):
    rng = Rng(3, STREAM_SELECTION, 0)
    assert select(frontier, "current_best", rng) == 0
    assert rng.next_u32() == Rng(3, STREAM_SELECTION, 0).next_u32()


def test_an_unknown_rule_is_refused_with_the_known_ones(frontier):
    with pytest.raises(ValueError, match="'paretto'; known: 'pareto', 'current_best'"):
        select(frontier, "paretto", Rng(3, STREAM_SELECTION, 0))


@pytest.mark.parametrize(
    "options", [{"epsilon": -0.1}, {"epsilon": 1.1}, {"epsilon": float("nan")}, {"k": 0}]
)
def test_options_out_of_range_are_refused(frontier, options):
    with pytest.raises(ValueError, match="must"):
        select(frontier, "pareto", Rng(3, STREAM_SELECTION, 0), **options)


def test_an_empty_frontier_has_nobody_to_select():
    with pytest.raises(ValueError, match="no candidate"):
        select(Frontier(1), "pareto", Rng(3, STREAM_SELECTION, 0))
