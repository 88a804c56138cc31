from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import merge
from tests.reference.cases import GRADES, examples
from tests.reference.frontier import ReferenceFrontier

from gepa_framework._core import STREAM_MERGE, Frontier, Lineage, Merger, Rng, check_rows

SCORES = GRADES.map(lambda score: score - 0.5)


@st.composite
def families(draw):
    """Give candidates as (parents, texts, scores, instances) on a few instances."""
    instances, components = draw(st.integers(1, 6)), draw(st.integers(1, 3))
    some = st.lists(st.integers(0, instances - 1), min_size=1, unique=True)
    named = draw(st.sampled_from([st.just(list(range(instances))), some]))
    family = []
    for i in range(draw(st.integers(1, 8))):
        parents = draw(st.lists(st.integers(0, i - 1), max_size=2, unique=True)) if i else []
        texts = draw(st.lists(st.integers(0, 3), min_size=components, max_size=components))
        covered = draw(named)
        scores = draw(st.lists(SCORES, min_size=len(covered), max_size=len(covered)))
        family.append((parents, texts, scores, covered))
    return instances, family


def build(instances, family):
    frontier, reference, lineage = Frontier(instances), ReferenceFrontier(instances), Lineage()
    for parents, texts, scores, covered in family:
        frontier.add(scores, covered)
        reference.add(scores, covered)
        lineage.add(parents, texts)
    return frontier, reference, lineage


@examples(150)
@given(families())
def test_ancestors_are_the_references(family):
    _, _, lineage = build(*family)
    parents = [parents for parents, *_ in family[1]]
    for i in range(len(lineage)):
        assert lineage.ancestors(i) == sorted(merge.ancestors(parents, i))
        assert lineage.parents(i) == parents[i]


@examples(300)
@given(families(), st.integers(0, 2**32), st.integers(0, 2))
def test_what_is_proposed_is_what_the_reference_allows(family, seed, overlap):
    frontier, reference, lineage = build(*family)
    parents, texts = ([candidate[i] for candidate in family[1]] for i in (0, 1))
    allowed = merge.triples(reference, parents, texts, overlap)
    merger, seen = Merger(), []
    while found := merger.propose(
        frontier, lineage, Rng(seed, STREAM_MERGE, len(seen)), tries=99, overlap=overlap
    ):
        assert (found.first, found.second, found.ancestor) in allowed
        options = merge.sources(reference, texts, found.first, found.second, found.ancestor)
        assert all(source in owners for source, owners in zip(found.sources, options, strict=True))
        assert found.texts == [texts[owner][i] for i, owner in enumerate(found.sources)]
        seen.append(((found.first, found.second), tuple(found.sources)))
    assert len(set(seen)) == len(seen)
    if not seen:
        assert not allowed


@examples(150)
@given(families(), st.integers(0, 2**32), st.integers(1, 6))
def test_check_rows_are_spread_over_who_is_better(family, seed, size):
    frontier, reference, _ = build(*family)
    for first in range(len(frontier)):
        ours, theirs = reference.rows[first], reference.rows[0]
        both = {i for i in ours if i in theirs}
        rows = check_rows(frontier, first, 0, Rng(seed, STREAM_MERGE, 0), size=size)
        assert len(rows) == len(set(rows)) == min(size, len(both))
        assert set(rows) <= both
        signs = {i: (ours[i] > theirs[i]) - (ours[i] < theirs[i]) for i in both}
        left = size
        for sign in (1, -1, 0):
            least = min(-(-size // 3), sum(each == sign for each in signs.values()), left)
            assert sum(signs[i] == sign for i in rows) >= least
            left -= least


def twins(means, texts=((0, 0), (1, 0), (0, 1))):
    frontier, lineage = Frontier(6), Lineage()
    root, first, second = means
    frontier.add([root] * 6)
    frontier.add([first + 1] * 3 + [first - 1] * 3)
    frontier.add([second - 1] * 3 + [second + 1] * 3)
    for parents, each in zip([[], [0], [0]], texts, strict=True):
        lineage.add(parents, list(each))
    return frontier, lineage


@pytest.mark.parametrize(
    "means", [(0, 0, 0), (-1, -0.5, -0.25), (0, 0.5, 0.5), (5e-324, 1, 1), (-2e307, 0, 0)]
)
def test_zero_and_negative_means_do_no_harm(means):
    found = Merger().propose(*twins(means), Rng(1, STREAM_MERGE, 0))
    assert (found.first, found.second, found.ancestor, found.texts) == (1, 2, 0, [1, 1])
    assert repr(found) == "Merge(first=1, second=2, ancestor=0, texts=[1, 1], sources=[1, 2])"


def test_a_conflict_goes_to_the_owner_with_the_higher_mean():
    texts = ((0, 0, 0), (1, 1, 0), (2, 0, 1))
    assert Merger().propose(*twins((0, 0, 0.5), texts), Rng(1, STREAM_MERGE, 0)).texts == [2, 1, 1]
    assert Merger().propose(*twins((0, 0.5, 0), texts), Rng(1, STREAM_MERGE, 0)).texts == [1, 1, 1]


def test_a_conflict_between_equals_is_drawn():
    texts = ((0, 0, 0), (1, 1, 0), (2, 0, 1))
    drawn = {Merger().propose(*twins((0, 0, 0), texts), Rng(i, STREAM_MERGE, 0)).texts[0] for i in range(40)}
    assert drawn == {1, 2}


def test_an_ancestor_that_is_better_than_a_parent_is_none():
    assert Merger().propose(*twins((0.5, 0, 1)), Rng(1, STREAM_MERGE, 0)) is None


def test_ancestors_are_drawn_by_their_means():
    frontier, lineage = Frontier(8), Lineage()
    for parents, texts, scores in [
        ([], [0, 0], [1] + [0] * 7),
        ([0], [0, 5], [1, 1, 1] + [0] * 5),
        ([1], [1, 5], [2, 2, 2, 2, 0, 0, 0, 0]),
        ([1], [0, 6], [0, 0, 0, 0, 2, 2, 2, 2]),
    ]:
        lineage.add(parents, texts)
        frontier.add(scores)
    drawn = [Merger().propose(frontier, lineage, Rng(i, STREAM_MERGE, 0)).ancestor for i in range(2000)]
    assert 1400 < drawn.count(1) < 1600
    assert set(drawn) == {0, 1}


def test_one_stream_gives_one_merge():
    assert [repr(Merger().propose(*twins((0, 0, 0)), Rng(7, STREAM_MERGE, 3))) for _ in range(2)] == [
        "Merge(first=1, second=2, ancestor=0, texts=[1, 1], sources=[1, 2])"
    ] * 2


def test_a_lineage_of_any_depth_is_walked_without_recursion():
    depth, lineage, frontier = 100_000, Lineage(), Frontier(2)
    for i in range(depth):
        lineage.add([i - 1] if i else [], [0, 0])
        frontier.add([0, 0])
    for texts, scores in (([1, 0], [2, 1]), ([0, 1], [1, 2])):
        lineage.add([depth - 1], texts)
        frontier.add(scores)
    started = process_time()
    assert len(lineage.ancestors(depth)) == depth
    found = Merger().propose(frontier, lineage, Rng(1, STREAM_MERGE, 0), overlap=2)
    assert process_time() - started < 1
    assert found.texts == [1, 1]


@pytest.mark.parametrize(
    ("parents", "texts", "message"),
    [
        ([1], [0], "candidate 1: there is no parent 1 yet"),
        ([-1], [0], "no parent -1"),
        ([0], [], "at least one component"),
        ([0], [0, 0], "candidate 1: got 2 components; the others have 1"),
    ],
)
def test_a_lineage_refuses_what_cannot_be(parents, texts, message):
    lineage = Lineage()
    lineage.add([], [0])
    with pytest.raises(ValueError, match=message):
        lineage.add(parents, texts)
    assert len(lineage) == 1
    assert lineage.add([0], [7]) == 1


def test_a_lineage_of_other_candidates_is_refused():
    frontier, lineage = twins((0, 0, 0))
    lineage.add([0], [0, 0])
    with pytest.raises(ValueError, match="the frontier has 3 candidates and the lineage 4"):
        Merger().propose(frontier, lineage, Rng(1, STREAM_MERGE, 0))


@pytest.mark.parametrize("query", ["ancestors", "parents", "texts"])
def test_a_candidate_that_is_not_there_is_an_index_error(query):
    with pytest.raises(IndexError, match="no candidate"):
        getattr(twins((0, 0, 0))[1], query)(3)


def test_a_check_needs_a_size():
    with pytest.raises(ValueError, match="at least 1"):
        check_rows(twins((0, 0, 0))[0], 0, 1, Rng(1, STREAM_MERGE, 0), size=0)
