from __future__ import annotations

from collections import Counter
from fractions import Fraction
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import selection
from tests.reference.cases import KINDS, examples, histories, replayed

from gepa_framework._core import STREAM_SELECTION, Frontier, Rng, distribution, select

ALL = histories(kinds=KINDS, instances=5)
SMALL = histories(kinds=KINDS, instances=4)
PARETO = ["pareto", "pareto_unpruned", "top_k_pareto"]
FLOORS = st.sampled_from([Fraction(0), Fraction(1, 8), Fraction(1, 2), Fraction(1)])


def close(found, expected):
    return found == pytest.approx({i: float(chance) for i, chance in expected.items()}, abs=1e-12)


@examples(150)
@given(ALL, st.sampled_from(PARETO), st.integers(1, 4))
def test_weights_are_the_references(history, rule, k):
    frontier, reference, _ = replayed(history)
    assert frontier.weights(rule, k=k) == selection.rule_weights(reference, rule, k)


@examples(150)
@given(ALL, st.sampled_from(PARETO), st.integers(1, 4), FLOORS)
def test_the_distribution_of_a_pareto_rule_is_the_references(history, rule, k, floor):
    frontier, reference, _ = replayed(history)
    found = dict(distribution(frontier, rule, k=k, best_floor=float(floor)))
    assert close(found, selection.distribution(reference, rule, k=k, best_floor=floor))
    assert found.get(frontier.best(), 0) >= floor


@examples(120)
@given(ALL, FLOORS)
def test_the_distribution_of_a_greedy_rule_is_the_references(history, epsilon):
    frontier, reference, _ = replayed(history)
    for rule in ("current_best", "epsilon_greedy"):
        found = dict(distribution(frontier, rule, epsilon=float(epsilon)))
        assert close(found, selection.distribution(reference, rule, epsilon=epsilon))


@examples(150)
@given(SMALL.filter(lambda history: selection.cells(replayed(history)[1]) <= 6), st.integers(1, 4))
def test_the_distribution_of_batch_lexicase_is_the_references(history, batch):
    frontier, reference, _ = replayed(history)
    found = dict(distribution(frontier, "batch_lexicase", batch=batch))
    assert close(found, selection.distribution(reference, "batch_lexicase", batch=batch))


def hybrid():
    frontier = Frontier(4, "hybrid", ["minimize"])
    frontier.add([1, 1, 0, 0], objectives=[[3], [3], [3], [3]])
    frontier.add([0, 0, 1, 0], objectives=[[1], [1], [1], [1]])
    frontier.add([0.75, 0.75, 0.75, 0.75], objectives=[[2], [2], [2], [2]])
    frontier.add([1, 0, 0.5, 0.5], objectives=[[1], [1], [1], [1]])
    return frontier


OPTIONS = [
    ("pareto", {}),
    ("pareto", {"best_floor": 0.7}),
    ("pareto_unpruned", {}),
    ("pareto_unpruned", {"best_floor": 0.7}),
    ("top_k_pareto", {"k": 3}),
    ("top_k_pareto", {"k": 3, "best_floor": 0.7}),
    ("epsilon_greedy", {"epsilon": 0.7}),
    ("batch_lexicase", {"batch": 1}),
    ("batch_lexicase", {"batch": 2}),
]


@pytest.mark.parametrize(("rule", "options"), OPTIONS)
def test_draws_pass_a_chi_square_test(rule, options):
    frontier, draws = hybrid(), 8000
    chances = dict(distribution(frontier, rule, **options))
    assert len(chances) > 1
    assert sum(chances.values()) == pytest.approx(1)
    counts = Counter(select(frontier, rule, Rng(3, STREAM_SELECTION, i), **options) for i in range(draws))
    assert set(counts) == set(chances)
    statistic = sum((counts[i] - draws * p) ** 2 / (draws * p) for i, p in chances.items())
    freedom = len(chances) - 1
    assert statistic < freedom + 4 * sqrt(2 * freedom)


@pytest.mark.parametrize("rule", PARETO)
def test_a_floor_that_is_reached_anyway_changes_no_draw(rule):
    frontier = Frontier(2)
    frontier.add([1, 0])
    frontier.add([0, 2])
    for i in range(50):
        plain, floored = (Rng(3, STREAM_SELECTION, i) for _ in range(2))
        chosen = select(frontier, rule, plain)
        assert select(frontier, rule, floored, best_floor=0.25) == chosen or rule == "pareto_unpruned"


def test_the_best_candidate_is_starved_without_a_floor():
    frontier = Frontier(3)
    frontier.add([1, 1, 0])
    frontier.add([0, 0, 1.5])
    frontier.add([1, 1, 1])
    frontier.add([1.5, 0, 0])
    frontier.add([0, 1.5, 0])
    assert frontier.best() == 2
    assert 2 not in dict(distribution(frontier, "pareto"))
    assert dict(distribution(frontier, "pareto", best_floor=0.25))[2] == 0.25


def test_top_k_falls_back_on_the_best_when_it_is_on_no_front():
    frontier = Frontier(1, "objective", ["maximize"])
    frontier.add([1], objectives=[[0]])
    frontier.add([0], objectives=[[1]])
    assert frontier.weights("top_k_pareto", k=1) == []
    assert distribution(frontier, "top_k_pareto", k=1) == [(0, 1.0)]
    assert select(frontier, "top_k_pareto", Rng(3, STREAM_SELECTION, 0), k=1) == 0


@pytest.mark.parametrize("order", [1, -1])
def test_batches_are_compared_exactly(order):
    """0.1 and 0.2 are a little more than 0.3 together, by less than rounded sums can tell."""
    frontier = Frontier(2)
    for scores in [[0.1, 0.2], [0.3, 0.0]][::order]:
        frontier.add(scores)
    better = 0 if order == 1 else 1
    assert distribution(frontier, "batch_lexicase", batch=2) == [(better, 1.0)]
    assert select(frontier, "batch_lexicase", Rng(3, STREAM_SELECTION, 0), batch=2) == better


def test_a_distribution_that_takes_too_long_is_refused():
    frontier = Frontier(13)
    frontier.add([0] * 13)
    with pytest.raises(ValueError, match="at most 12 cells and 64 candidates"):
        distribution(frontier, "batch_lexicase")
    assert select(frontier, "batch_lexicase", Rng(3, STREAM_SELECTION, 0)) == 0


@pytest.mark.parametrize("rule", ["current_best", "epsilon_greedy", "batch_lexicase"])
def test_a_rule_without_weights_says_so(rule):
    with pytest.raises(ValueError, match=f"'{rule}' does not draw by weights; ask for its distribution"):
        hybrid().weights(rule)


@pytest.mark.parametrize("options", [{"best_floor": -0.1}, {"best_floor": 1.5}, {"batch": 0}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match="must"):
        distribution(hybrid(), "pareto", **options)
