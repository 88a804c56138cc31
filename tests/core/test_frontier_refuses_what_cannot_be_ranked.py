from __future__ import annotations

from array import array

import pytest

from gepa_framework._core import Frontier, ScoreError

NAN = float("nan")


@pytest.fixture
def frontier():
    frontier = Frontier(3)
    frontier.add([0.5, 0.5, 0.5])
    return frontier


def state(frontier):
    return len(frontier), frontier.fronts(), frontier.weights(), frontier.best()


REFUSED = [
    pytest.param([0, NAN, 0], None, 1, id="nan"),
    pytest.param([0, 0, float("inf")], None, 2, id="infinite"),
    pytest.param([1, NAN], [2, 0], 0, id="nan-of-a-named-row"),
    pytest.param([1, 1], None, None, id="too-few"),
    pytest.param([1, 1, 1, 1], None, None, id="too-many"),
    pytest.param([], None, None, id="none"),
    pytest.param([], [], None, id="none-named"),
    pytest.param([1, 1], [0], None, id="names-and-scores-differ"),
    pytest.param([1, 1], [1, 1], 1, id="named-twice"),
    pytest.param([1], [3], 3, id="out-of-range"),
    pytest.param([1], [-1], -1, id="negative"),
    pytest.param([1], [2**70], 2**63 - 1, id="huge"),
    pytest.param([1e308, 1e308, 0], None, None, id="sum-overflows"),
]


@pytest.mark.parametrize(("scores", "instances", "row"), REFUSED)
def test_a_refusal_names_candidate_and_row_and_changes_nothing(frontier, scores, instances, row):
    before = state(frontier)
    with pytest.raises(ScoreError, match=r"^candidate 1\b") as refusal:
        frontier.add(scores, instances)
    assert (refusal.value.candidate, refusal.value.row) == (1, row)
    assert state(frontier) == before
    assert frontier.add([1, 1, 1]).candidate == 1


def test_a_score_error_is_a_value_error():
    assert issubclass(ScoreError, ValueError)
    assert ScoreError("bare").candidate is None


@pytest.mark.parametrize(
    "scores", ["111", b"111", {1.0: 1}, 1.0, None, [1, None, 1], [1, "1", 1], [[1], 1, 1]]
)
def test_what_is_not_numbers_is_a_type_error(frontier, scores):
    with pytest.raises(TypeError, match="scores"):
        frontier.add(scores)


@pytest.mark.parametrize("instances", ["0", [0.0], [None], 1])
def test_what_is_not_row_numbers_is_a_type_error(frontier, instances):
    with pytest.raises(TypeError, match="instances"):
        frontier.add([1], instances)


class Shrinking:
    """A number that empties the list that it stands in."""

    victim = ()

    def __float__(self):
        self.victim.clear()
        return 1.0


def test_a_list_that_shrinks_while_it_is_read_does_no_harm(frontier):
    number = Shrinking()
    scores = [number, 0.25, 0.125]
    number.victim = scores
    assert frontier.add(scores).candidate == 1
    assert [frontier.score(1, i) for i in range(3)] == [1.0, 0.25, 0.125]


def test_an_exception_of_a_number_comes_through(frontier):
    class Broken:
        def __float__(self):
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        frontier.add([1, Broken(), 1])


@pytest.mark.parametrize(
    "scores",
    [
        (1, 2, 3),
        array("d", [1, 2, 3]),
        array("f", [1, 2, 3]),
        array("i", [1, 2, 3]),
        memoryview(array("d", [1, 2, 3])),
    ],
)
def test_any_sequence_or_buffer_of_numbers_is_taken(frontier, scores):
    frontier.add(scores)
    assert frontier.total(1) == 6


def test_a_strided_buffer_is_read_by_its_stride(frontier):
    frontier.add(memoryview(array("d", [1, 9, 2, 9, 3, 9]))[::2])
    assert [frontier.score(1, i) for i in range(3)] == [1, 2, 3]


def test_scores_are_kept_apart_from_the_buffer_they_came_in(frontier):
    scores = array("d", [1, 2, 3])
    frontier.add(scores)
    scores[0] = 9
    assert frontier.score(1, 0) == 1


@pytest.mark.parametrize("query", ["mean", "total", "coverage"])
@pytest.mark.parametrize("candidate", [-1, 1])
def test_a_candidate_that_is_not_there_is_an_index_error(frontier, query, candidate):
    with pytest.raises(IndexError, match=f"candidate {candidate}"):
        getattr(frontier, query)(candidate)


@pytest.mark.parametrize("query", ["members", "cell_best"])
@pytest.mark.parametrize("instance", [-1, 3])
def test_an_instance_that_is_not_there_is_an_index_error(frontier, query, instance):
    with pytest.raises(IndexError, match=f"instance {instance}"):
        getattr(frontier, query)(instance)
    with pytest.raises(IndexError, match=f"instance {instance}"):
        frontier.score(0, instance)


def test_an_empty_frontier_answers_what_it_can():
    frontier = Frontier(2)
    assert (len(frontier), frontier.fronts(), frontier.survivors(), frontier.weights()) == (0, [], [], [])
    assert frontier.cell_best(0) is None
    with pytest.raises(ValueError, match="no candidate yet"):
        frontier.best()


@pytest.mark.parametrize("kind", ["objective", "hybrid", "cartesian"])
def test_a_kind_that_needs_objectives_is_refused_without(kind):
    with pytest.raises(ValueError, match=f"'{kind}' needs objectives; give a direction for each"):
        Frontier(1, kind)


def test_an_unknown_kind_and_no_instances_are_refused():
    with pytest.raises(ValueError, match="unknown frontier kind 'pareto'"):
        Frontier(1, "pareto")
    with pytest.raises(ValueError, match="at least one instance"):
        Frontier(0)
