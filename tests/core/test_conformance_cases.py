"""The answers of the PyPI package `gepa` 0.1.4 on recorded scores, judged as its README says."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from gepa_framework._core import (
    STREAM_SELECTION,
    Frontier,
    Rng,
    ScoreError,
    accept,
    choose,
    select,
)

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("GEPA_SHARED_DATA") or ROOT.parent / "shared" / "data")
CASES_FILE = DATA / "conformance" / "cases.json"
CASES = json.loads(CASES_FILE.read_text()) if CASES_FILE.is_file() else {}
NO_CASES = pytest.mark.skip(reason=f"no conformance cases at {CASES_FILE}; set GEPA_SHARED_DATA")


def cases(*groups):
    found = [
        pytest.param(case, id=f"{group}-{case.get('name', case.get('id'))}")
        for group in groups
        for case in CASES.get(group, [])
    ]
    return found or [pytest.param(None, marks=NO_CASES, id="absent")]


def each_frontier_case(test):
    return pytest.mark.parametrize("case", cases("frontier_cases", "random_cases"))(test)


def frontier_of(case):
    frontier = Frontier(len(case["scores"][0]))
    for row in case["scores"]:
        covered = [j for j, score in enumerate(row) if score is not None]
        frontier.add([row[j] for j in covered], covered)
    return frontier


def by_name(case, fronts):
    names = case.get("val_ids") or list(range(len(case["scores"][0])))
    return {names[i]: members for i, members in fronts}


def expected_fronts(case, key):
    return {name: sorted(members) for name, members in case["expect"][key]}


@each_frontier_case
def test_fronts_are_the_references(case):
    assert by_name(case, frontier_of(case).fronts()) == expected_fronts(case, "fronts")


@each_frontier_case
def test_means_are_the_references(case):
    frontier = frontier_of(case)
    assert [frontier.mean(i) for i in range(len(frontier))] == case["expect"]["aggregate"]


@each_frontier_case
def test_the_best_candidate_is_the_evaluation_policys(case):
    assert frontier_of(case).best() == case["expect"]["best_idx_eval_policy"]


@each_frontier_case
def test_the_current_best_is_selected(case):
    rng = Rng(0, STREAM_SELECTION, 0)
    assert select(frontier_of(case), "current_best", rng) == case["expect"]["best_idx_eval_policy"]


@each_frontier_case
def test_survivors_and_weights_are_the_references_where_ties_leave_no_choice(case):
    frontier, expect = frontier_of(case), case["expect"]
    if expect["tie_order_invariant"]:
        assert frontier.survivors() == sorted(expect["dominators"])
        assert by_name(case, frontier.reduced_fronts()) == expected_fronts(case, "reduced_fronts")
        assert frontier.weights() == sorted(map(tuple, expect["pareto_weights"]))
    else:
        assert_covering_and_irredundant(frontier)


def assert_covering_and_irredundant(frontier):
    reduced = [set(members) for _, members in frontier.reduced_fronts()]
    assert all(reduced)
    for survivor in frontier.survivors():
        assert any(members == {survivor} for members in reduced)


@each_frontier_case
def test_pareto_selects_only_what_has_weight_in_the_reference(case):
    frontier = frontier_of(case)
    drawn = {select(frontier, "pareto", Rng(1, STREAM_SELECTION, i)) for i in range(200)}
    if case["expect"]["tie_order_invariant"]:
        assert drawn <= {candidate for candidate, _ in case["expect"]["pareto_weights"]}
    assert drawn <= set(frontier.survivors())


@pytest.mark.parametrize("rule", ["strict_improvement", "improvement_or_equal"])
@pytest.mark.parametrize("case", cases("acceptance_cases"))
def test_acceptance_is_the_references(case, rule):
    before, after = case["before"] or [], case["after"] or []
    if len(before) != len(after) or not before:
        with pytest.raises(ScoreError):
            accept(rule, before, after)
    else:
        assert accept(rule, before, after).accepted is case[rule]


@each_frontier_case
def test_top_k_weights_are_the_references_where_ties_leave_no_choice(case):
    frontier = frontier_of(case)
    if case["expect"]["tie_order_invariant"]:
        assert_top_weights(frontier, case["expect"])


def assert_top_weights(frontier, expect):
    for k, weights in expect["topk_weights"].items():
        assert frontier.weights("top_k_pareto", k=int(k)) == sorted(map(tuple, weights or []))


KINDS = ["instance", "objective", "hybrid", "cartesian"]


def frontier_of_kind(case, kind):
    """Every objective that some candidate reports is one of the frontier, by name."""
    rows = [row for candidate in case["objective_scores"] for row in candidate]
    names = sorted({name for row in rows for name in row})
    frontier = Frontier(len(case["scores"][0]), kind, ["maximize"] * len(names))
    for scores, objectives in zip(case["scores"], case["objective_scores"], strict=True):
        frontier.add(scores, objectives=[[row.get(name) for name in names] for row in objectives])
    return frontier, names


def name_of(frontier, names, cell):
    """Name a cell as the reference does."""
    instance, objective = frontier.key(cell)
    if frontier.kind == "cartesian":
        return ("cartesian", instance, names[objective])
    if frontier.kind == "objective":
        return names[objective]
    if frontier.kind == "hybrid":
        return ("val_id", instance) if objective is None else ("objective", names[objective])
    return instance


def as_key(name):
    return tuple(name) if isinstance(name, list) else name


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", cases("frontier_type_cases"))
def test_fronts_of_every_kind_are_the_references(case, kind):
    frontier, names = frontier_of_kind(case, kind)
    expect = case["expect"][kind]
    for key, fronts in (("fronts", frontier.fronts()), ("reduced_fronts", frontier.reduced_fronts())):
        if key == "fronts" or expect["tie_order_invariant"]:
            found = {name_of(frontier, names, cell): members for cell, members in fronts}
            assert found == {as_key(name): sorted(members) for name, members in expect[key]}
    if expect["tie_order_invariant"]:
        assert frontier.survivors() == sorted(expect["dominators"])
        assert frontier.weights() == sorted(map(tuple, expect["pareto_weights"]))
        assert_top_weights(frontier, expect)
    else:
        assert_covering_and_irredundant(frontier)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", cases("frontier_type_cases"))
def test_objective_means_and_bests_are_the_references(case, kind):
    frontier, names = frontier_of_kind(case, kind)
    expect = case["expect"][kind]
    assert frontier.best() == expect["best_idx_eval_policy"]
    for objective, name in enumerate(names):
        means = [frontier.objective_mean(i, objective) for i in range(len(frontier))]
        assert means == [row.get(name) for row in expect["objective_means"]]
        assert means[frontier.best_of(objective)] == expect["objective_best"][name]


@pytest.mark.parametrize("case", cases("selection_strategy_cases"))
def test_the_choice_among_proposals_is_the_references(case):
    decisions = [accept(case["criterion"], each["before"], each["after"]) for each in case["proposals"]]
    assert choose("all", decisions) == case["all"]
    assert choose("best", decisions) == case["best"]
    for k in (1, 2, 10):
        assert choose("top_k", decisions, k=k) == case[f"top{k}"]
