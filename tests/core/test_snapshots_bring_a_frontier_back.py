from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference.cases import KINDS, examples, histories, replayed

from gepa_framework._core import Frontier, SnapshotError

ALL = histories(kinds=KINDS, instances=5)


def answers(frontier):
    return (
        frontier.kind,
        frontier.instances,
        frontier.directions,
        frontier.fronts(),
        frontier.weights(),
        frontier.best(),
        [frontier.mean(i) for i in range(len(frontier))],
        [list(frontier.scores(i)) for i in range(len(frontier))],
        [frontier.covered(i) for i in range(len(frontier))],
    )


@examples(150)
@given(ALL)
def test_a_frontier_comes_back_with_all_its_answers(history):
    frontier = replayed(history)[0]
    restored = Frontier.restore(frontier.snapshot())
    assert answers(restored) == answers(frontier)
    assert restored.snapshot() == frontier.snapshot()


@examples(150)
@given(ALL, st.data())
def test_a_byte_that_was_changed_is_noticed(history, data):
    snapshot = bytearray(replayed(history)[0].snapshot())
    at = data.draw(st.integers(0, len(snapshot) - 1))
    snapshot[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SnapshotError):
        Frontier.restore(bytes(snapshot))


@examples(120)
@given(ALL, st.data())
def test_bytes_that_are_missing_or_too_many_are_noticed(history, data):
    snapshot = replayed(history)[0].snapshot()
    cut = data.draw(st.integers(0, len(snapshot) - 1))
    for damaged in (snapshot[:cut], snapshot + bytes(data.draw(st.integers(1, 16)))):
        with pytest.raises(SnapshotError):
            Frontier.restore(damaged)


@examples(150)
@given(st.binary(max_size=200))
def test_no_other_bytes_are_taken_for_a_snapshot(content):
    with pytest.raises(SnapshotError, match="no snapshot"):
        Frontier.restore(content)


def test_an_empty_frontier_comes_back():
    restored = Frontier.restore(Frontier(3, "hybrid", ["minimize"]).snapshot())
    assert (len(restored), restored.kind, restored.cells) == (0, "hybrid", 4)


def test_the_bytes_are_the_same_on_every_machine():
    frontier = Frontier(2, "cartesian", ["minimize"])
    frontier.add([1.0], [1], [[0.5]])
    assert frontier.snapshot().hex() == (
        "4745504146524e54"
        "01000000"
        "03"
        "02000000"
        "01000000"
        "01"
        "01000000"
        "01000000"
        "00"
        "01000000"
        "000000000000f03f"
        "01000000"
        "00"
        "01000000"
        "000000000000e0bf"
        "501fdaffddb9435a"
    )


def test_what_restores_grows_on():
    frontier = Frontier(2)
    frontier.add([1, 0])
    restored = Frontier.restore(frontier.snapshot())
    assert restored.add([0, 1]).improved == [1]
    assert len(frontier) == 1
