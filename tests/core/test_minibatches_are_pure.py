from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reference import philox

from gepa_framework._core import minibatch

SEEDS = st.integers(0, 2**64 - 1)
ROWS = st.integers(1, 30)
SIZES = st.integers(1, 12)


@settings(max_examples=200, deadline=None)
@given(SEEDS, st.integers(0, 200), ROWS, SIZES)
def test_a_minibatch_is_the_references(seed, index, rows, size):
    assert minibatch(seed, index, rows, size) == philox.minibatch(seed, index, rows, size)


@settings(max_examples=200, deadline=None)
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
