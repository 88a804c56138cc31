from __future__ import annotations

import math
import statistics
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gepa_framework._core import Rng
from gepa_framework.engine import Verdict
from gepa_framework.engine.improvement import judge, paired, seed_selected
from gepa_framework.engine.measuring import Measurement, measure
from gepa_framework.errors import RunFailedError

TENTHS = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
PAIRS = st.lists(st.tuples(TENTHS, TENTHS), min_size=1, max_size=8)


def verdict_on(pairs, confidence=0.95):
    seed, best = (dict(enumerate(rewards)) for rewards in zip(*pairs, strict=True))
    return judge(seed, best, candidate_id="best", confidence=confidence)


def enumerated_p(differences):
    """Give the share of all ways to sign the differences that add up to as much as they do."""
    signed = [
        sum(map(math.copysign, differences, signs)) for signs in product((1, -1), repeat=len(differences))
    ]
    return sum(total >= sum(differences) for total in signed) / len(signed)


@given(PAIRS, st.sampled_from([0.75, 0.9, 0.95]))
def test_a_verdict_is_that_of_all_ways_to_flip_the_signs(pairs, confidence):
    found = verdict_on(pairs, confidence)
    differences = [after - before for before, after in pairs]
    assert found.p == enumerated_p([difference for difference in differences if difference])
    assert found.n == len(pairs)
    assert found.differing == sum(map(bool, differences))
    assert found.mean_difference == pytest.approx(statistics.fmean(differences))
    if found.mean_difference <= 0:
        assert found.verdict is Verdict.NONE_MEASURED
    else:
        shown = found.p <= 1 - confidence
        assert found.verdict is (Verdict.DEMONSTRATED if shown else Verdict.INCONCLUSIVE)


@given(PAIRS)
def test_the_standard_error_is_that_of_the_differences(pairs):
    found = verdict_on(pairs)
    if len(pairs) == 1:
        assert found.stderr is None
    else:
        deviation = statistics.stdev([after - before for before, after in pairs])
        assert found.stderr == pytest.approx(deviation / len(pairs) ** 0.5)


@pytest.mark.parametrize(
    ("rows", "verdict", "reason"),
    [
        (1, Verdict.INCONCLUSIVE, "only 1 row differs, and p can then not be below 0.5"),
        (4, Verdict.INCONCLUSIVE, "only 4 rows differ, and p can then not be below 0.0625"),
        (5, Verdict.DEMONSTRATED, "p is at most 0.05"),
    ],
)
def test_few_rows_that_differ_cannot_decide_and_the_verdict_says_so(rows, verdict, reason):
    found = verdict_on([(0.0, 1.0)] * rows + [(1.0, 1.0)] * 20)
    assert (found.verdict, found.reason, found.differing, found.n) == (verdict, reason, rows, rows + 20)
    assert found.p == 2.0**-rows


def test_enough_rows_that_do_not_agree_are_inconclusive():
    found = verdict_on([(0.0, 1.0)] * 6 + [(1.0, 0.0)] * 4)
    assert (found.verdict, found.reason) == (Verdict.INCONCLUSIVE, "p is above 0.05")
    assert found.mean_difference == pytest.approx(0.2)


@pytest.mark.parametrize("pairs", [[(1.0, 0.0)] * 20, [(0.0, 1.0), (1.0, 0.0)], [(0.5, 0.5)] * 3])
def test_a_mean_that_is_no_higher_is_no_measured_improvement(pairs):
    found = verdict_on(pairs)
    assert (found.verdict, found.reason) == (Verdict.NONE_MEASURED, "the mean is no higher than the seed's")


def test_rows_that_only_one_of_them_has_are_left_out():
    seed = dict.fromkeys(range(8), 0.0)
    best = dict.fromkeys(range(3, 12), 1.0)
    found = judge(seed, best, candidate_id="best", confidence=0.95)
    assert (found.n, found.p, found.mean_difference) == (5, 2.0**-5, 1.0)


def test_without_a_common_row_nothing_is_measured():
    found = judge({0: 0.0}, {1: 1.0}, candidate_id="best", confidence=0.95)
    assert (found.verdict, found.n) == (Verdict.INCONCLUSIVE, 0)
    assert (found.mean_difference, found.stderr, found.p) == (None, None, None)
    assert found.reason == "no heldout row was scored for both"


def test_a_seed_that_was_selected_is_not_tested_against_itself():
    found = seed_selected({0: 1.0, 1: 0.0}, seed_id="seed", confidence=0.95)
    assert (found.verdict, found.candidate_id, found.n) == (Verdict.NONE_MEASURED, "seed", 2)
    assert (found.mean_difference, found.stderr, found.p) == (0.0, None, None)


def test_a_confidence_asks_for_as_much_as_it_says():
    pairs = [(0.0, 1.0)] * 6
    assert verdict_on(pairs, 0.98).verdict is Verdict.DEMONSTRATED
    assert verdict_on(pairs, 0.99).verdict is Verdict.INCONCLUSIVE


def share_demonstrated(draw, rows, runs=600):
    found = [verdict_on([draw(Rng(1, 4, run * rows + row)) for row in range(rows)]) for run in range(runs)]
    return sum(each.verdict is Verdict.DEMONSTRATED for each in found) / runs


def right_or_wrong(rise):
    return lambda rng: (float(rng.uniform() < 0.5), float(rng.uniform() < 0.5 + rise))


def continuous(rng):
    level = rng.uniform()
    return level + rng.uniform() ** 3, level + rng.uniform() ** 3


@pytest.mark.parametrize("rows", [12, 60])
@pytest.mark.parametrize("draw", [right_or_wrong(0.0), continuous], ids=["0/1", "continuous"])
def test_where_there_is_no_difference_few_verdicts_demonstrate_one(draw, rows):
    # Three standard errors of a share of 0.05 of 600 are 0.027.
    assert 0 < share_demonstrated(draw, rows) <= 0.05 + 0.027


def test_where_there_is_a_difference_most_verdicts_demonstrate_it():
    assert share_demonstrated(right_or_wrong(0.3), 60) >= 0.85


@pytest.mark.parametrize("size", [1e-300, 1.0, 1e300])
def test_rewards_of_any_size_have_a_standard_error(size):
    found = measure([0.0, size, size, size])
    assert found.n == 4
    assert found.mean == pytest.approx(0.75 * size)
    assert found.stderr == pytest.approx(0.25 * size)


def test_nothing_has_no_mean():
    assert measure([]) == Measurement(None, None, 0)


def test_rewards_that_cannot_be_subtracted_are_refused():
    with pytest.raises(RunFailedError, match="more than the range"):
        paired({0: -1.7e308}, {0: 1.7e308})
