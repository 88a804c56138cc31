from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import philox
from tests.reference.cases import examples

from gepa_framework._core import (
    failure_weighted_minibatch,
    minibatch,
    ordered_minibatch,
    stratified_minibatch,
)

SEEDS = st.integers(0, 2**64 - 1)
ROWS = st.integers(1, 30)
SIZES = st.integers(1, 12)


@examples(120)
@given(SEEDS, st.integers(0, 200), ROWS, SIZES)
def test_a_minibatch_is_the_references(seed, index, rows, size):
    assert minibatch(seed, index, rows, size) == philox.minibatch(seed, index, rows, size)


@examples(120)
@given(SEEDS, st.integers(0, 5), ROWS, SIZES)
def test_each_batch_is_distinct_and_each_epoch_covers_every_row(seed, epoch, rows, size):
    batches = -(-rows // size)
    seen = set()
    for index in range(epoch * batches, (epoch + 1) * batches):
        batch = minibatch(seed, index, rows, size)
        assert len(batch) == len(set(batch)) == min(rows, size)
        seen.update(batch)
    assert seen == set(range(rows))


def test_a_short_last_batch_is_filled_from_the_epochs_first():
    first, _, last = (minibatch(1, index, 7, 3) for index in range(3))
    assert last[1:] == first[:2]


def test_epochs_are_shuffled_apart():
    assert minibatch(1, 0, 50, 50) != minibatch(1, 1, 50, 50)


@pytest.mark.parametrize(("rows", "size"), [(0, 1), (1, 0)])
def test_no_rows_and_no_size_are_refused(rows, size):
    with pytest.raises(ValueError, match="minibatch"):
        minibatch(1, 0, rows, size)


STRATA = st.lists(st.integers(-2, 3), min_size=1, max_size=24)
MISSES = st.lists(st.sampled_from([0.0, 0.25, 1.0]) | st.floats(0, 1), min_size=1, max_size=20)


@examples(120)
@given(st.integers(0, 200), ROWS, SIZES)
def test_an_ordered_minibatch_goes_through_the_rows_in_order(index, rows, size):
    assert ordered_minibatch(index, rows, size) == philox.batch_of(list(range(rows)), index, size)


@examples(150)
@given(SEEDS, st.integers(0, 50), STRATA, SIZES)
def test_a_stratified_minibatch_is_the_references(seed, index, strata, size):
    found = stratified_minibatch(seed, index, strata, size)
    assert found == philox.stratified_minibatch(seed, index, strata, size)


@examples(120)
@given(SEEDS, st.integers(0, 5), STRATA, SIZES)
def test_strata_have_their_share_of_each_batch_and_every_row_its_turn(seed, epoch, strata, size):
    batches, seen = -(-len(strata) // size), set()
    for index in range(epoch * batches, (epoch + 1) * batches):
        batch = stratified_minibatch(seed, index, strata, size)
        assert len(batch) == len(set(batch)) == min(size, len(strata))
        seen.update(batch)
        for stratum in set(strata):
            share = strata.count(stratum) / len(strata)
            drawn = sum(strata[row] == stratum for row in batch)
            assert abs(drawn - share * len(batch)) <= 2 + 2 * len(set(strata)) * share
    assert seen == set(range(len(strata)))


def test_two_strata_of_one_size_alternate():
    strata = [0] * 6 + [1] * 6
    for index in range(12):
        assert sorted(strata[row] for row in stratified_minibatch(5, index, strata, 4)) == [0, 0, 1, 1]


@examples(150)
@given(SEEDS, st.integers(0, 50), MISSES, SIZES, st.sampled_from([0.05, 0.5, 1.0]))
def test_a_failure_weighted_minibatch_is_the_references(seed, index, misses, size, floor):
    found = failure_weighted_minibatch(seed, index, misses, size, floor=floor)
    assert found == philox.failure_weighted_minibatch(seed, index, misses, size, floor)
    assert len(found) == len(set(found)) == min(size, len(misses))


def test_rows_that_are_missed_come_up_more_often_and_none_never():
    misses, drawn = [1.0, 0.0, 0.5, 0.0], [0] * 4
    for index in range(4000):
        drawn[failure_weighted_minibatch(1, index, misses, 1, floor=0.2)[0]] += 1
    for found, weight in zip(drawn, [1.0, 0.2, 0.6, 0.2], strict=True):
        assert abs(found - 4000 * weight / 2) < 4 * (4000 * weight / 2) ** 0.5


@pytest.mark.parametrize(
    ("misses", "floor", "message"),
    [
        ([1.5], 0.1, "miss 0 must lie between 0 and 1"),
        ([0, float("nan")], 0.1, "miss 1 must lie"),
        ([0], 0.0, "floor"),
        ([0], 1.5, "floor"),
    ],
)
def test_misses_and_floors_out_of_range_are_refused(misses, floor, message):
    with pytest.raises(ValueError, match=message):
        failure_weighted_minibatch(1, 0, misses, 1, floor=floor)


@pytest.mark.parametrize("size", [0, 1])
def test_every_kind_of_minibatch_needs_rows_and_a_size(size):
    rows = 1 - size
    for draw in (
        lambda: ordered_minibatch(0, rows, size),
        lambda: stratified_minibatch(1, 0, [0] * rows, size),
        lambda: failure_weighted_minibatch(1, 0, [0] * rows, size),
    ):
        with pytest.raises(ValueError, match="minibatch"):
            draw()
