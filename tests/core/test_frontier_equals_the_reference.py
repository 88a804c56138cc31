from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference.cases import FREE, KINDS, examples, histories, replayed

from gepa_framework._core import Frontier

ALL = histories(kinds=KINDS, instances=6)


@examples(150)
@given(histories() | ALL)
def test_every_step_reports_what_the_reference_does(history):
    for report, expected in replayed(history)[2]:
        assert report == expected


@examples(150)
@given(histories() | ALL)
def test_fronts_and_their_members_are_the_references(history):
    frontier, reference, _ = replayed(history)
    assert frontier.fronts() == list(reference.fronts().items())
    for cell in range(frontier.cells):
        assert frontier.members(cell) == reference.members(cell)
        assert frontier.cell_best(cell) == as_given(reference, frontier.key(cell), reference.cell_best(cell))


def as_given(reference, key, value):
    return value if value is None or key[1] is None else value * reference.signs[key[1]]


@examples(150)
@given(histories() | ALL)
def test_totals_means_and_the_best_are_the_references(history):
    frontier, reference, _ = replayed(history)
    assert frontier.best() == reference.best()
    for i, row in enumerate(reference.rows):
        assert frontier.total(i) == reference.total(i)
        assert frontier.mean(i) == reference.mean(i)
        assert frontier.coverage(i) == reference.coverage(i)
        assert frontier.covered(i) == sorted(row)
        assert list(frontier.scores(i)) == [row[j] for j in sorted(row)]
        assert [frontier.score(i, j) for j in range(frontier.instances)] == [
            row.get(j) for j in range(frontier.instances)
        ]


@examples(150)
@given(ALL)
def test_objectives_are_the_references(history):
    frontier, reference, _ = replayed(history)
    for objective, sign in enumerate(reference.signs):
        assert frontier.best_of(objective) == reference.best_of(objective)
        for i, values in enumerate(reference.objectives):
            mean = reference.objective_mean(i, objective)
            assert frontier.objective_mean(i, objective) == (None if mean is None else sign * mean)
            for instance in range(frontier.instances):
                value = values.get((instance, objective))
                expected = None if value is None else sign * value
                assert frontier.objective_score(i, instance, objective) == expected


@examples(250)
@given(histories() | ALL)
def test_the_reduction_is_the_references_restart_loop(history):
    frontier, reference, _ = replayed(history)
    assert frontier.survivors() == reference.survivors()
    assert frontier.reduced_fronts() == list(reference.reduced_fronts().items())
    assert frontier.weights() == reference.weights()


@examples(150)
@given(histories() | ALL)
def test_the_reduction_does_not_depend_on_when_it_was_asked_for(history):
    kind, count, directions, done = history
    asked_often = Frontier(count, kind, directions)
    for candidate, *scores in done:
        asked_often.add(*scores) if candidate is None else asked_often.extend(candidate, *scores)
        asked_often.weights()
    assert asked_often.weights() == replayed(history)[0].weights()


@examples(120)
@given(ALL)
def test_misses_are_of_the_survivors(history):
    frontier, reference, _ = replayed(history)
    rows = [reference.rows[i] for i in reference.survivors()]
    for instance, miss in enumerate(frontier.misses(0.5)):
        scores = [row[instance] for row in rows if instance in row]
        assert miss == (sum(score < 0.5 for score in scores) / len(scores) if scores else 1.0)


@examples(120)
@given(st.lists(FREE, min_size=1, max_size=30), st.randoms())
def test_the_order_of_scores_changes_no_total(scores, random):
    shuffled = list(scores)
    random.shuffle(shuffled)
    frontier = Frontier(len(scores))
    frontier.add(scores)
    frontier.add(shuffled)
    assert frontier.total(0) == frontier.total(1)


@examples(100)
@given(histories())
def test_buffers_and_sequences_give_the_same_frontier(history):
    _, count, _, done = history
    of_lists, of_buffers = Frontier(count), Frontier(count)
    for candidate, scores, covered, _ in done:
        if candidate is None:
            of_lists.add(scores, covered)
            of_buffers.add(memoryview(array("d", scores)), covered)
    assert of_lists.fronts() == of_buffers.fronts()
    assert of_lists.weights() == of_buffers.weights()


@pytest.mark.parametrize("kind", KINDS[1:])
def test_objectives_in_a_buffer_are_read_in_place(kind):
    of_lists, of_buffers = (Frontier(2, kind, ["maximize", "minimize"]) for _ in range(2))
    flat = array("d", [0.5, 2, 0.25, 4])
    of_buffers.add([1, 0], objectives=memoryview(flat).cast("B").cast("d", (2, 2)))
    of_lists.add([1, 0], objectives=[[0.5, 2], [0.25, 4]])
    assert of_lists.snapshot() == of_buffers.snapshot()


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("instance", [(0, None), (1, None)]),
        ("objective", [(None, 0), (None, 1)]),
        ("hybrid", [(0, None), (1, None), (None, 0), (None, 1)]),
        ("cartesian", [(0, 0), (0, 1), (1, 0), (1, 1)]),
    ],
)
def test_a_cell_knows_what_it_stands_for(kind, keys):
    frontier = Frontier(2, kind, ["maximize", "minimize"])
    assert [frontier.key(cell) for cell in range(frontier.cells)] == keys
    assert frontier.directions == ["maximize", "minimize"]


def test_scores_that_were_looked_at_stay_as_they_were():
    frontier = Frontier(3)
    frontier.add([0.5], [1])
    seen = frontier.scores(0)
    frontier.extend(0, [0.25, 0.75], [0, 2])
    del frontier
    assert seen.readonly
    assert list(seen) == [0.5]


def test_more_columns_than_16_bits_number_are_kept_apart():
    frontier = Frontier(200_000)
    far = [0, 65_535, 65_536, 131_072, 199_999]
    frontier.add([1, 2, 3, 4, 5], far)
    frontier.extend(0, [6], [70_000])
    assert frontier.covered(0) == sorted([*far, 70_000])
    assert [frontier.score(0, i) for i in (65_535, 65_536, 70_000, 131_071)] == [2, 3, 6, None]
