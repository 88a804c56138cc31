from __future__ import annotations

from array import array

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reference.frontier import ReferenceFrontier

from gepa_framework._core import Frontier

GRADES = st.sampled_from([0.0, 0.25, 0.5, 1.0])
BINARY = st.sampled_from([0.0, 1.0])
FREE = st.floats(-1e6, 1e6, allow_nan=False)


@st.composite
def pools(draw):
    """Candidates as (scores, instances or None), on up to nine instances."""
    instances = draw(st.integers(1, 9))
    score = draw(st.sampled_from([BINARY, GRADES, FREE]))
    row = st.lists(score, min_size=instances, max_size=instances)
    some = st.lists(st.integers(0, instances - 1), min_size=1, unique=True)
    full = row.map(lambda scores: (scores, None))
    partial = st.tuples(row, some).map(lambda pair: (pair[0][: len(pair[1])], pair[1]))
    return instances, draw(st.lists(draw(st.sampled_from([full, full | partial])), min_size=1, max_size=12))


def build(pool):
    instances, candidates = pool
    frontier, reference = Frontier(instances), ReferenceFrontier(instances)
    for scores, covered in candidates:
        frontier.add(scores, covered)
        reference.add(scores, covered)
    return frontier, reference


@settings(max_examples=300, deadline=None)
@given(pools())
def test_every_add_reports_what_the_reference_does(pool):
    instances, candidates = pool
    frontier, reference = Frontier(instances), ReferenceFrontier(instances)
    for scores, covered in candidates:
        report = frontier.add(scores, covered)
        candidate, improved, tied = reference.add(scores, covered)
        assert (report.candidate, report.improved, report.tied) == (candidate, improved, tied)


@settings(max_examples=300, deadline=None)
@given(pools())
def test_fronts_and_their_members_are_the_references(pool):
    frontier, reference = build(pool)
    assert frontier.fronts() == list(reference.fronts().items())
    for instance in range(frontier.instances):
        assert frontier.members(instance) == reference.members(instance)
        assert frontier.cell_best(instance) == reference.cell_best(instance)


@settings(max_examples=300, deadline=None)
@given(pools())
def test_totals_means_and_the_best_are_the_references(pool):
    frontier, reference = build(pool)
    assert frontier.best() == reference.best()
    for i, row in enumerate(reference.rows):
        assert frontier.total(i) == reference.total(i)
        assert frontier.mean(i) == reference.mean(i)
        assert frontier.coverage(i) == reference.coverage(i)
        assert [frontier.score(i, j) for j in range(frontier.instances)] == [
            row.get(j) for j in range(frontier.instances)
        ]


@settings(max_examples=600, deadline=None)
@given(pools())
def test_the_reduction_is_the_references_restart_loop(pool):
    frontier, reference = build(pool)
    assert frontier.survivors() == reference.survivors()
    assert frontier.reduced_fronts() == list(reference.reduced_fronts().items())
    assert frontier.weights() == reference.weights()


@settings(max_examples=200, deadline=None)
@given(pools())
def test_the_reduction_does_not_depend_on_when_it_was_asked_for(pool):
    instances, candidates = pool
    asked_often, asked_once = Frontier(instances), Frontier(instances)
    for scores, covered in candidates:
        asked_often.add(scores, covered)
        asked_often.weights()
        asked_once.add(scores, covered)
    assert asked_often.weights() == asked_once.weights()


@settings(max_examples=200, deadline=None)
@given(st.lists(FREE, min_size=1, max_size=30), st.randoms())
def test_the_order_of_scores_changes_no_total(scores, random):
    shuffled = list(scores)
    random.shuffle(shuffled)
    frontier = Frontier(len(scores))
    frontier.add(scores)
    frontier.add(shuffled)
    assert frontier.total(0) == frontier.total(1)


@settings(max_examples=100, deadline=None)
@given(pools())
def test_buffers_and_sequences_give_the_same_frontier(pool):
    instances, candidates = pool
    of_lists, of_buffers = Frontier(instances), Frontier(instances)
    for scores, covered in candidates:
        of_lists.add(scores, covered)
        of_buffers.add(memoryview(array("d", scores)), covered)
    assert of_lists.fronts() == of_buffers.fronts()
    assert of_lists.weights() == of_buffers.weights()
