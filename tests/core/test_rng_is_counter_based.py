from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import philox
from tests.reference.cases import examples

from gepa_framework import _core
from gepa_framework._core import Rng

WORD = st.integers(0, 2**32 - 1)
LONG = st.integers(0, 2**64 - 1)
ONES = 0xFFFFFFFF

# Random123, tests/kat_vectors, "philox4x32 10".
PUBLISHED = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES,) * 4, (ONES,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), PUBLISHED)
def test_philox_gives_the_published_answers(counter, key, words):
    assert Rng.block(counter, key) == words
    assert philox.block(counter, key) == words


@examples(120)
@given(LONG, WORD, LONG)
def test_a_stream_is_the_references(seed, stream, index):
    rng = Rng(seed, stream, index)
    assert [rng.next_u32() for _ in range(9)] == list(islice(philox.words(seed, stream, index), 9))


@examples(120)
@given(LONG, st.integers(1, 2**32 - 1))
def test_bounded_draws_are_the_references(seed, n):
    rng, words = Rng(seed, 1, 0), philox.words(seed, 1, 0)
    assert [rng.below(n) for _ in range(5)] == [philox.below(words, n) for _ in range(5)]


@examples(100)
@given(LONG, st.integers(0, 40))
def test_shuffles_are_the_references(seed, n):
    assert Rng(seed, 1, 0).shuffle(n) == philox.shuffle(philox.words(seed, 1, 0), n)


@examples(100)
@given(LONG)
def test_a_float_is_the_high_53_bits_of_two_words(seed):
    assert Rng(seed, 1, 0).uniform() == (Rng(seed, 1, 0).next_u64() >> 11) / 2**53


def test_two_words_make_one_with_the_earlier_one_low():
    low, high = islice(philox.words(5, 1, 0), 2)
    assert Rng(5, 1, 0).next_u64() == high << 32 | low


def test_streams_have_distinct_numbers():
    names = [name for name in vars(_core) if name.startswith("STREAM_")]
    assert len({getattr(_core, name) for name in names}) == len(names) == 5


def test_neighbouring_streams_and_indices_share_no_word():
    places = [(seed, stream, index) for seed in range(3) for stream in range(3) for index in range(3)]
    drawn = [Rng(*place).next_u64() for place in places]
    assert len(set(drawn)) == len(places)


@pytest.mark.parametrize("n", [2**32, 2**32 + 1, 2**63, 2**64 - 1])
def test_bounded_draws_above_32_bits_stay_below_the_bound(n):
    rng = Rng(1, 1, 0)
    assert all(rng.below(n) < n for _ in range(200))


@examples(100)
@given(st.lists(st.sampled_from([0, 0.0, 1, 2.5]), min_size=1).filter(any), LONG)
def test_a_choice_never_falls_on_a_weight_of_zero(weights, seed):
    assert weights[Rng(seed, 1, 0).choice(weights)] > 0


@pytest.mark.parametrize("weights", [[], [0], [-1, 2], [float("nan")], [float("inf")], [1e308, 1e308]])
def test_weights_that_cannot_be_drawn_from_are_refused(weights):
    with pytest.raises(ValueError, match="weight"):
        Rng(1, 1, 0).choice(weights)


def test_nothing_lies_below_zero():
    with pytest.raises(ValueError, match="at least 1"):
        Rng(1, 1, 0).below(0)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, "1"])
def test_a_seed_that_is_no_integer_of_64_bits_is_refused(seed):
    with pytest.raises(TypeError):
        Rng(seed, 1, 0)
