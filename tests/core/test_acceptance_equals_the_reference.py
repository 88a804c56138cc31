from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference.acceptance import accepts, exact_sum
from tests.reference.cases import examples

from gepa_framework._core import ScoreError, accept

RULES = ["strict_improvement", "improvement_or_equal"]
SCORES = st.sampled_from([0.0, 0.1, 0.2, 0.3, 1 / 3, 0.7, 1.0]) | st.floats(-1e300, 1e300)
PAIRS = st.lists(st.tuples(SCORES, SCORES), min_size=1, max_size=12)


@examples(120)
@given(PAIRS, st.sampled_from(RULES))
def test_a_decision_is_the_references(pairs, rule):
    before, after = map(list, zip(*pairs, strict=True))
    decision = accept(rule, before, after)
    assert decision.accepted is accepts(rule, before, after)
    assert decision.before_sum == exact_sum(before)
    assert decision.after_sum == exact_sum(after)
    assert decision.delta == decision.after_sum - decision.before_sum


@examples(100)
@given(st.permutations([0.1, 0.2, 0.3, 0.7, 1 / 3]), st.sampled_from(RULES))
def test_rearranged_scores_tie(after, rule):
    decision = accept(rule, [0.1, 0.2, 0.3, 0.7, 1 / 3], after)
    assert decision.delta == 0
    assert decision.accepted is (rule == "improvement_or_equal")


def test_a_decision_carries_its_numbers():
    decision = accept("strict_improvement", [0.5, 0.25], array("d", [1, 0.5]), margin=0.125)
    assert repr(decision) == (
        "Decision(accepted=True, before_sum=0.75, after_sum=1.5, delta=0.75, margin=0.125, rows=2,"
        " rule='strict_improvement')"
    )


@pytest.mark.parametrize(
    ("rule", "margin", "accepted"),
    [
        ("strict_improvement", 0.25, True),
        ("strict_improvement", 0.5, False),
        ("improvement_or_equal", 0.5, True),
    ],
)
def test_a_margin_is_of_the_mean(rule, margin, accepted):
    assert accept(rule, [0, 0], [1, 0], margin=margin).accepted is accepted


@pytest.mark.parametrize(
    ("before", "after", "row"),
    [([], [], None), ([1], [1, 1], None), ([1, float("nan")], [1, 1], 1), ([1], [float("inf")], 0)],
)
def test_what_cannot_be_compared_is_refused_with_its_row(before, after, row):
    with pytest.raises(ScoreError) as refusal:
        accept("strict_improvement", before, after)
    assert refusal.value.row == row
    assert refusal.value.candidate is None


def test_sums_beyond_the_range_of_a_double_are_refused():
    with pytest.raises(ScoreError, match="beyond the range"):
        accept("strict_improvement", [0, 0], [1.7e308, 1.7e308])


def test_an_unknown_rule_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'better'; known: 'strict_improvement', 'improvement_or_equal'"):
        accept("better", [1], [1])


@pytest.mark.parametrize("margin", [-0.1, float("nan"), float("inf")])
def test_a_margin_out_of_range_is_refused(margin):
    with pytest.raises(ValueError, match="margin"):
        accept("strict_improvement", [1], [1], margin=margin)
