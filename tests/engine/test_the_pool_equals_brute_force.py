from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gepa_framework.engine import Selecting
from gepa_framework.engine.pool import Member, Pool
from gepa_framework.types import Candidate, RejectedAttempt

_CELLS = st.one_of(st.none(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.7, 1.0, -3.0]))


def scored(rows):
    cells = st.lists(_CELLS, min_size=rows, max_size=rows)
    return st.lists(cells.filter(lambda row: any(cell is not None for cell in row)), min_size=1, max_size=12)


def candidate(number):
    return Candidate.of({"prompt": str(number)})


def filled(table):
    pool = Pool(seed=1, rows=[f"row {cell}" for cell in range(len(table[0]))], remember=2)
    for number, row in enumerate(table):
        cells = {cell: score for cell, score in enumerate(row) if score is not None}
        yield pool, pool.add(Member(candidate(number), (), number), cells), table[: number + 1]


def best_of(table):
    def rank(number):
        row = [Fraction(score) for score in table[number] if score is not None]
        # Sums are exact; a mean is one division away, and means that round to one number are ties.
        return (float(sum(row)) / len(row), len(row), -number)

    return max(range(len(table)), key=rank)


@given(st.integers(1, 8).flatmap(scored))
def test_after_each_add_the_cells_hold_just_the_best(table):
    for pool, _, so_far in filled(table):
        for cell in range(len(table[0])):
            scores = {n: row[cell] for n, row in enumerate(so_far) if row[cell] is not None}
            top = max(scores.values(), default=None)
            assert pool.frontier.cell_best(cell) == top
            assert pool.frontier.members(cell) == [n for n, score in scores.items() if score == top]


@given(st.integers(1, 8).flatmap(scored))
def test_a_report_names_the_cells_that_were_won_and_those_that_were_shared(table):
    for _, report, so_far in filled(table):
        *before, row = so_far
        won, shared = [], []
        for cell, score in enumerate(row):
            others = [other[cell] for other in before if other[cell] is not None]
            if score is not None and all(score > other for other in others):
                won.append(cell)
            elif score is not None and score == max(others):
                shared.append(cell)
        assert (report.improved, report.tied) == (won, shared)


@given(st.integers(1, 8).flatmap(scored))
def test_the_best_has_the_highest_mean_then_coverage_then_age(table):
    for pool, _, so_far in filled(table):
        expected = best_of(so_far)
        assert pool.best.candidate == candidate(expected)
        row = [score for score in so_far[expected] if score is not None]
        assert pool.best_score == pytest.approx(float(sum(map(Fraction, row)) / len(row)))


@given(st.integers(1, 8).flatmap(scored))
def test_survivors_still_cover_every_cell(table):
    for pool, _, so_far in filled(table):
        survivors = set(pool.frontier.survivors())
        for cell in range(len(table[0])):
            members = pool.frontier.members(cell)
            assert not members or survivors & set(members)
        assert survivors <= set(range(len(so_far)))


@given(st.integers(1, 8).flatmap(scored), st.integers(0, 1000))
def test_pareto_selects_survivors_only(table, iteration):
    for pool, _, _ in filled(table):
        survivors = pool.names(pool.frontier.survivors())
        assert pool.select(Selecting("pareto"), iteration)[0].candidate.id in survivors


def test_selection_depends_on_seed_and_iteration_alone():
    (*_, (pool, _, _)) = filled([[0.0, 1.0, 0.5], [1.0, 0.0, 0.5], [0.5, 0.5, 1.0]])
    drawn = [pool.select(Selecting("pareto"), iteration)[0].candidate.id for iteration in range(40)]
    assert drawn[::-1] == [
        pool.select(Selecting("pareto"), iteration)[0].candidate.id for iteration in reversed(range(40))
    ]
    assert len(set(drawn)) == 3


def test_an_empty_pool_has_no_best_score():
    assert Pool(seed=1, rows=["a"], remember=1).best_score is None


def test_what_was_registered_is_known():
    pool = Pool(seed=1, rows=["a"], remember=1)
    pool.register(candidate(3))
    assert set(pool.known) == {candidate(3).id}


def test_attempts_are_kept_by_parent_and_the_oldest_go_first():
    pool = Pool(seed=1, rows=["a"], remember=2)
    attempts = [RejectedAttempt(str(n), {}, "no") for n in range(3)]
    for attempt in attempts:
        pool.reject("one", attempt)
    assert pool.rejected("one") == tuple(attempts[1:])
    assert pool.rejected("two") == ()


def test_turns_are_kept_by_parent():
    pool = Pool(seed=1, rows=["a"], remember=2)
    turns = [pool.next_component(parent, ["x", "y"]) for parent in ("one", "one", "two", "one")]
    assert turns == ["x", "y", "x", "x"]


def test_indices_are_given_by_name():
    (*_, (pool, _, _)) = filled([[0.0, 1.0], [1.0, 0.0]])
    assert pool.names([1, 0]) == (candidate(1).id, candidate(0).id)
    assert pool.cells([1]) == ("row 1",)
