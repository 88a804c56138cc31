from __future__ import annotations

from array import array

import pytest

from gepa_framework._core import Frontier, ScoreError

NAN = float("nan")


@pytest.fixture
def frontier():
    frontier = Frontier(3, "hybrid", ["maximize", "minimize"])
    frontier.add([0.5, 0.5], [0, 2], [[0.5, 1], [0.25, None]])
    return frontier


REFUSED = [
    pytest.param(([0.5], [0], None), None, "needs objective scores", id="no-objectives"),
    pytest.param(([0.5], [0], [[None, None]]), None, "needs objective scores", id="none-reported"),
    pytest.param(([0.5], [0], [[1, NAN]]), 0, "objective 1 must be finite, not nan", id="nan"),
    pytest.param(([1, 1], [2, 0], [[1, 1], [float("inf"), 1]]), 0, "objective 0 must be finite", id="inf"),
    pytest.param(
        ([1, 1], [0, 1], [[1, 1]]), None, "got 2 objective scores for 2 rows of 2", id="a-row-short"
    ),
    pytest.param(([1], [0], [[1]]), 0, r"objectives\[0\] must have 2 values, not 1", id="a-value-short"),
    pytest.param(([1, 1], [0, 1], [[1.7e308, 1]] * 2), None, "objective 0 add up beyond", id="overflow"),
]


@pytest.mark.parametrize(("given", "row", "message"), REFUSED)
def test_objectives_that_cannot_be_ranked_change_nothing(frontier, given, row, message):
    before = frontier.snapshot()
    with pytest.raises(ScoreError, match=message) as refusal:
        frontier.add(*given)
    assert refusal.value.row == row
    assert frontier.snapshot() == before


EXTENSIONS = [
    pytest.param(([1], [2], [[1, 1]]), 2, "already has a score", id="twice"),
    pytest.param(([1], [3], [[1, 1]]), 3, "no such instance", id="nowhere"),
    pytest.param(([NAN], [1], [[1, 1]]), 1, "must be finite", id="nan"),
    pytest.param(([1], [1], None), None, "needs objective scores", id="no-objectives"),
    pytest.param(([1, 1, 1], None, [[1, 1]] * 3), 0, "already has a score", id="all"),
    pytest.param(([], [], []), None, "at least one score", id="none"),
]


@pytest.mark.parametrize(("given", "row", "message"), EXTENSIONS)
def test_an_extension_that_cannot_be_changes_nothing(frontier, given, row, message):
    before = frontier.snapshot()
    with pytest.raises(ScoreError, match=message) as refusal:
        frontier.extend(0, *given)
    assert (refusal.value.candidate, refusal.value.row) == (0, row)
    assert frontier.snapshot() == before


@pytest.mark.parametrize("candidate", [-1, 1])
def test_a_candidate_that_is_not_there_cannot_be_extended(frontier, candidate):
    with pytest.raises(IndexError, match=f"no candidate {candidate}"):
        frontier.extend(candidate, [1], [1], [[1, 1]])


def test_a_mean_that_falls_loses_its_cell(frontier):
    frontier.add([0.5], [0], [[0.3, 9]])
    report = frontier.extend(0, [0], [1], [[0, 0]])
    assert (report.improved, report.tied, report.lost) == ([1, 4], [], [3])
    assert "lost=[3]" in repr(report)


@pytest.mark.parametrize(
    "objectives", ["11", [1, 1], [["1", 1]], array("d", [1, 1]), memoryview(array("f", [1, 1])).cast("B")]
)
def test_what_is_no_table_of_numbers_is_a_type_error(frontier, objectives):
    with pytest.raises(TypeError, match="objectives"):
        frontier.add([1], [0], objectives)


def test_objectives_that_were_not_announced_are_refused():
    with pytest.raises(ScoreError, match="must have 0 values, not 1"):
        Frontier(1).add([1], objectives=[[1]])


def test_an_unknown_direction_is_refused():
    with pytest.raises(ValueError, match="unknown direction 'up'; known: 'maximize', 'minimize'"):
        Frontier(1, "hybrid", ["up"])


def test_more_cells_than_can_be_numbered_are_refused():
    with pytest.raises(ValueError, match="fit in 32 bits"):
        Frontier(2**31, "objective", ["maximize"] * 3)


@pytest.mark.parametrize("query", ["members", "cell_best", "key"])
@pytest.mark.parametrize("cell", [-1, 5])
def test_a_cell_that_is_not_there_is_an_index_error(frontier, query, cell):
    with pytest.raises(IndexError, match=f"no cell {cell}"):
        getattr(frontier, query)(cell)


@pytest.mark.parametrize("objective", [-1, 2])
def test_an_objective_that_is_not_there_is_an_index_error(frontier, objective):
    for query in (
        lambda: frontier.best_of(objective),
        lambda: frontier.objective_mean(0, objective),
        lambda: frontier.objective_score(0, 0, objective),
    ):
        with pytest.raises(IndexError, match=f"no objective {objective}"):
            query()


def test_a_perfect_score_must_be_finite(frontier):
    with pytest.raises(ValueError, match="finite"):
        frontier.misses(NAN)
