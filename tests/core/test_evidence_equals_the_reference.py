"""Rules that weigh evidence: `paired`, `sequential`, objectives, merges, and the choice among proposals."""

from __future__ import annotations

from itertools import accumulate, product
from math import atanh, cosh, exp, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import acceptance
from tests.reference.cases import examples

from gepa_framework._core import (
    Rng,
    ScoreError,
    accept,
    accept_merge,
    choose,
    sign_flip_p,
    weigh_objectives,
)

TENTHS = st.sampled_from([-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.1 + 0.2, 1.0])
SIGNS = st.sampled_from([-1.0, 0.0, 1.0])
SCORES = st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.5, 1.0])
PAIRS = st.lists(st.tuples(SCORES, SCORES), min_size=1, max_size=8)
DESIGN = {"confidence": 0.8, "power": 0.4, "win_rate": 0.625, "limit": 96}


@examples(150)
@given(
    st.lists(TENTHS, max_size=8) | st.lists(SIGNS, max_size=9) | st.lists(st.floats(-1e9, 1e9), max_size=8)
)
def test_the_sign_flip_test_is_the_references(differences):
    assert sign_flip_p(differences) == acceptance.sign_flip_p(differences)


def binomial_tail(n, heads):
    row = [1]
    for _ in range(n):
        row = [a + b for a, b in zip([0, *row], [*row, 0], strict=True)]
    return sum(row[heads:]) / 2**n


@pytest.mark.parametrize(("n", "wins"), [(17, 12), (50, 31), (200, 120), (1500, 800), (3000, 1400)])
def test_differences_of_one_size_are_exact_at_any_number(n, wins):
    differences = [2.5] * wins + [-2.5] * (n - wins)
    assert sign_flip_p(differences) == pytest.approx(binomial_tail(n, wins), rel=1e-10)


def test_many_differences_of_many_sizes_take_the_normal_form():
    rng = Rng(1, 4, 0)
    differences = [rng.uniform() - 0.35 for _ in range(16)]
    exact = sign_flip_p(differences)
    nearly = sign_flip_p([*differences, 1e-9])
    assert exact != nearly
    assert nearly == pytest.approx(exact, abs=0.02)


@pytest.mark.parametrize("n", range(1, 8))
def test_no_p_of_n_rows_is_below_two_to_the_minus_n(n):
    assert sign_flip_p([1.0] * n) == 2.0**-n
    assert accept("paired", [0] * n, [1] * n, confidence=1 - 2.0**-n).accepted


@examples(150)
@given(PAIRS, st.sampled_from([0.5, 0.75, 0.9]), st.sampled_from([0.0, 0.125]))
def test_a_paired_decision_is_the_references(pairs, confidence, margin):
    before, after = map(list, zip(*pairs, strict=True))
    decision = accept("paired", before, after, confidence=confidence, margin=margin)
    p = acceptance.sign_flip_p([a - b - margin for b, a in pairs])
    assert (decision.p, decision.accepted) == (p, p <= 1 - confidence)
    assert (decision.verdict, decision.more_rows) == ("accepted" if decision.accepted else "rejected", 0)
    assert decision.confidence == confidence


@examples(150)
@given(
    st.lists(st.tuples(SCORES, SCORES), min_size=1, max_size=60),
    st.fixed_dictionaries(
        {
            "confidence": st.sampled_from([0.6, 0.8, 0.95]),
            "power": st.sampled_from([0.4, 0.8]),
            "win_rate": st.sampled_from([0.6, 0.75]),
            "limit": st.sampled_from([8, 30, 96]),
        }
    ),
)
def test_a_race_is_the_references(pairs, design):
    before, after = map(list, zip(*pairs, strict=True))
    decision = accept("sequential", before, after, **design)
    verdict, evidence, p = acceptance.race([a - b for b, a in pairs], **design)
    assert decision.verdict == verdict
    assert decision.evidence == pytest.approx(evidence, rel=1e-9)
    assert decision.p == pytest.approx(p, rel=1e-9)
    assert decision.accepted is (decision.p <= 1 - design["confidence"])
    assert decision.accepted is (verdict == "accepted")
    assert (decision.more_rows > 0) is (verdict == "undecided")
    assert len(pairs) + decision.more_rows <= max(design["limit"], len(pairs))


@examples(120)
@given(st.lists(SIGNS, min_size=1, max_size=96), st.integers(1, 5))
def test_a_race_is_decided_alike_however_rows_are_batched(differences, batch):
    one_by_one = next(
        (d for n in range(1, len(differences)) if (d := raced(differences[:n])).verdict != "undecided"),
        raced(differences),
    )
    size = batch
    while (decision := raced(differences[:size])).verdict == "undecided" and size < len(differences):
        size += decision.more_rows
    assert (decision.verdict, decision.p) == (one_by_one.verdict, one_by_one.p)


def raced(differences):
    return accept("sequential", [0.0] * len(differences), differences, **DESIGN)


def test_no_race_is_decided_before_the_rows_that_it_asks_for():
    for differences in product([-1.0, 0.0, 1.0], repeat=4):
        decision = raced(differences)
        if decision.verdict == "undecided" and decision.more_rows > 1:
            for all_alike in (-1.0, 1.0):
                nearly = [*differences, *[all_alike] * (decision.more_rows - 1)]
                assert raced(nearly).verdict == "undecided"


def operating_characteristic(up, down, design):
    """Give P(accepted), P(rejected before the limit): exact, state by state, for differences of one size."""
    t = atanh(2 * design["win_rate"] - 1)
    rise, fall = exp(t) / cosh(t), exp(-t) / cosh(t)
    reject = 1 - design["power"]
    least = fall * reject
    bound = least + (1 - least) / (1 - design["confidence"])
    states, accepted, rejected = {(0, 0): 1.0}, 0.0, 0.0
    for _ in range(design["limit"]):
        after = {}
        for (wins, losses), chance in states.items():
            steps = [((wins + 1, losses), up), ((wins, losses + 1), down), ((wins, losses), 1 - up - down)]
            for (w, x), p in steps:
                evidence = rise**w * fall**x
                if evidence >= bound:
                    accepted += chance * p
                elif evidence <= reject:
                    rejected += chance * p
                else:
                    after[w, x] = after.get((w, x), 0.0) + chance * p
        states = after
    return accepted, rejected


@pytest.mark.parametrize("differ", [0.1, 0.3, 0.5, 1.0])
@pytest.mark.parametrize(
    "design",
    [DESIGN, DESIGN | {"confidence": 0.95, "power": 0.8}, DESIGN | {"win_rate": 0.9, "limit": 300}],
)
def test_the_errors_of_a_race_stay_within_what_it_guarantees(differ, design):
    accepted, _ = operating_characteristic(differ / 2, differ / 2, design)
    assert accepted <= 1 - design["confidence"]
    won = differ * design["win_rate"]
    _, missed = operating_characteristic(won, differ - won, design)
    assert missed <= 1 - design["power"]


@pytest.mark.parametrize("shape", ["heavy", "graded", "growing"])
def test_no_shape_of_scores_breaks_the_guarantee(shape):
    accepted, runs = 0, 3000
    for run in range(runs):
        rng = Rng(11, 4, run)
        sizes = {
            "heavy": lambda _, rng=rng: 1 / (rng.uniform() + 1e-3),
            "graded": lambda _, rng=rng: rng.below(4) / 4,
            "growing": lambda i: 1.3**i,
        }[shape]
        differences = [sizes(i) * (1 if rng.below(2) else -1) for i in range(40)]
        accepted += accept("sequential", [0] * 40, differences, limit=40, confidence=0.9).accepted
    assert accepted / runs <= 0.1 + 3 * sqrt(0.09 / runs)


def test_an_undecided_race_ends_at_its_limit():
    decision = accept("sequential", [0] * 5, [0] * 5, limit=6)
    assert (decision.verdict, decision.more_rows, decision.accepted) == ("undecided", 1, False)
    assert accept("sequential", [0] * 6, [0] * 6, limit=6).verdict == "rejected"
    assert "more_rows=1" in repr(decision)


def test_p_of_a_race_is_of_the_largest_evidence_so_far():
    evidence = list(accumulate([1.25, 1.25, 0.75], lambda a, b: a * b))
    decision = raced([1, 1, -1])
    least = 0.75 * (1 - DESIGN["power"])
    assert decision.evidence == pytest.approx(evidence[-1])
    assert decision.p == pytest.approx((1 - least) / (max(evidence) - least))


def test_differences_beyond_the_range_of_a_double_are_refused():
    with pytest.raises(ScoreError, match="range of a double"):
        accept("paired", [-1.7e308, 1.7e308], [1.7e308, -1.7e308])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_sign_flip_test_refuses_what_is_not_finite(value):
    with pytest.raises(ValueError, match="finite"):
        sign_flip_p([1.0, value])


@pytest.mark.parametrize(
    "options", [{"confidence": 0}, {"confidence": 1}, {"power": 1}, {"win_rate": 0.5}, {"limit": 0}]
)
def test_a_design_out_of_range_is_refused(options):
    with pytest.raises(ValueError, match="must"):
        accept("sequential", [0], [1], **options)


VALUES = st.none() | SCORES
CRITERIA = ["primary", "any_objective_improved", "primary_or_objective", "protected_objective_guard"]


@st.composite
def objectives(draw):
    directions = draw(st.lists(st.sampled_from(["maximize", "minimize"]), min_size=1, max_size=3))
    row = st.lists(VALUES, min_size=len(directions), max_size=len(directions))
    rows = draw(st.lists(st.tuples(row, row), min_size=1, max_size=4))
    protected = draw(st.sets(st.integers(0, len(directions) - 1)))
    return directions, *map(list, zip(*rows, strict=True)), sorted(protected)


@examples(120)
@given(objectives(), st.sampled_from(CRITERIA), st.booleans(), st.sampled_from([0.0, 0.05, 0.2]))
def test_objectives_weigh_as_the_reference_says(given_objectives, criterion, better, threshold):
    directions, before, after, protected = given_objectives
    primary = accept("strict_improvement", [0] * len(before), [float(better)] * len(before))
    limits = {"min_delta": threshold, "tolerance": threshold, "protected": protected}
    found = weigh_objectives(primary, criterion, before, after, directions, **limits)
    deltas = acceptance.objective_deltas(before, after, directions)
    assert found.objective_deltas == deltas
    assert found.verdict == acceptance.weighed(primary.verdict, criterion, deltas, **limits)
    assert found.accepted is (found.verdict == "accepted")
    assert (found.criterion, found.delta) == (criterion, primary.delta)


@pytest.mark.parametrize(("protected", "accepted"), [([], True), ([0], False)])
def test_a_protected_objective_that_cannot_be_compared_counts_as_fallen(protected, accepted):
    found = weigh_objectives(
        accept("strict_improvement", [0], [1]),
        "protected_objective_guard",
        [[0.5]],
        [[None]],
        ["maximize"],
        protected=protected,
    )
    assert (found.accepted, found.objective_deltas) == (accepted, [None])


def test_an_undecided_child_that_breaks_a_guard_is_rejected_at_once():
    undecided = accept("sequential", [0], [0])
    found = weigh_objectives(
        undecided, "protected_objective_guard", [[0.5]], [[0.25]], ["maximize"], protected=[0]
    )
    assert (found.verdict, found.more_rows) == ("rejected", 0)
    kept = weigh_objectives(undecided, "protected_objective_guard", [[0.5]], [[0.25]], ["maximize"])
    assert (kept.verdict, kept.more_rows) == ("undecided", undecided.more_rows)


@pytest.mark.parametrize(
    ("error", "message", "change"),
    [
        (ValueError, "unknown acceptance criterion 'best'", {"criterion": "best"}),
        (ValueError, "unknown direction 'up'; known: 'maximize', 'minimize'", {"directions": ["up"]}),
        (ValueError, "no objective 1 to protect", {"protected": [1]}),
        (ValueError, "tolerance", {"tolerance": -1}),
        (ScoreError, "got 2 objective scores for 1 rows of 1", {"after": [[1], [1]]}),
        (ScoreError, "must have 1 values, not 2", {"after": [[1, 1]]}),
        (ScoreError, "row 0: the score of objective 0 must be finite", {"after": [[float("nan")]]}),
    ],
)
def test_objectives_that_cannot_be_weighed_are_refused(error, message, change):
    given = {"criterion": "primary", "before": [[0]], "after": [[1]], "directions": ["maximize"]} | change
    with pytest.raises(error, match=message):
        weigh_objectives(accept("paired", [0], [1]), **given)


@pytest.mark.parametrize(("child", "accepted"), [([1, 0], False), ([1, 1], True), ([2, 0.5], True)])
def test_a_merged_child_must_reach_the_better_parent(child, accepted):
    for parents in (([0, 1], [1, 1]), ([1, 1], [0, 1])):
        decision = accept_merge(*parents, child)
        assert (decision.accepted, decision.before_sum) == (accepted, 2)


def decisions(*deltas):
    return [accept("strict_improvement", [0], [delta]) for delta in deltas]


@pytest.mark.parametrize(
    ("rule", "k", "chosen"),
    [
        ("all", 1, [0, 2, 3, 4]),
        ("best", 5, [2]),
        ("top_k", 1, [2]),
        ("top_k", 3, [2, 4, 0]),
        ("top_k", 9, [2, 4, 0, 3]),
    ],
)
def test_the_accepted_ones_are_chosen_by_delta(rule, k, chosen):
    assert choose(rule, decisions(0.5, 0, 2, 0.5, 2), k=k) == chosen
    assert choose(rule, decisions(0, -1), k=k) == choose(rule, [], k=k) == []


def test_a_choice_that_cannot_be_made_is_refused():
    with pytest.raises(ValueError, match="unknown choice rule 'any'; known: 'all', 'best', 'top_k'"):
        choose("any", [])
    with pytest.raises(ValueError, match="k must be"):
        choose("top_k", [], k=0)
