from __future__ import annotations

import pytest

REST = """\
[container]
[proposer]
backend = "scripted"
"""


@pytest.fixture
def rows(parse):
    return lambda text: parse(REST + text, whole=True).config.dataset


@pytest.fixture
def row_lines(lines_of):
    return lambda text: [line.removeprefix("gepa.toml:") for line in lines_of(REST + text, whole=True)]


def seeds(train="[1]", heldout="[2]", more=""):
    return f"[dataset]\ntrain_seeds = {train}\nheldout_seeds = {heldout}\n{more}"


def ids(train="['a']", heldout="['b']", more=""):
    return f"[taskset]\ntrain_ids = {train}\nheldout_ids = {heldout}\n{more}"


def test_rows_are_kept_in_their_order(rows):
    found = rows(seeds("[3, 1, 2]", "[9, 8]", "train_split = 'a'\nheldout_split = 'b'\nfilters.hard = true"))
    assert (found.kind, found.train, found.heldout) == ("seeds", (3, 1, 2), (9, 8))
    assert (found.train_split, found.heldout_split, found.filters) == ("a", "b", {"hard": True})


@pytest.mark.parametrize(("text", "first", "last", "count"), [("0-99", 0, 99, 100), (" 7 - 7 ", 7, 7, 1)])
def test_a_range_of_seeds_has_both_its_ends(rows, text, first, last, count):
    found = rows(seeds(f'"{text}"', "[1000]")).train
    assert (found[0], found[-1], len(found)) == (first, last, count)


def test_a_range_can_be_an_override(parse):
    loaded = parse(sets=["dataset.train_seeds=0-4"])
    assert loaded.config.dataset.train == (0, 1, 2, 3, 4)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (seeds("[]"), "5:1: dataset.train_seeds: must contain at least one seed"),
        (seeds(heldout="[]"), "6:1: dataset.heldout_seeds: must contain at least one seed"),
        ("[dataset]\nheldout_seeds = [1]", "4:2: dataset.train_seeds: is required"),
        (seeds("[1, 2, 1]", "[3]"), "5:1: dataset.train_seeds: names 1 more than once"),
        (
            seeds("[1, 2, 3]", "[3, 2]"),
            (
                "6:1: dataset.heldout_seeds: train_seeds and heldout_seeds must be disjoint; "
                "overlapping seeds: 2, 3"
            ),
        ),
        (
            seeds("'0-19'", "'0-19'"),
            (
                "6:1: dataset.heldout_seeds: train_seeds and heldout_seeds must be disjoint; "
                "overlapping seeds: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 10 more"
            ),
        ),
        (seeds("['1']"), '5:16: dataset.train_seeds.0: expected an integer, got the string "1"'),
        (
            seeds("5"),
            '5:1: dataset.train_seeds: expected an array or a range such as "0-99", got the integer 5',
        ),
        (
            seeds("'5'"),
            '5:1: dataset.train_seeds: "5" is not a range; write one as "0-99", both ends included',
        ),
        (seeds("'9-3'"), "5:1: dataset.train_seeds: the range 9-3 is empty; write the smaller end first"),
        (seeds("'0-9999999'"), "5:1: dataset.train_seeds: the range 0-9999999 has more than 1000000 rows"),
        (seeds(more="train_split = ''"), "7:1: dataset.train_split: must not be empty"),
        (
            seeds(more="train_ids = ['a']"),
            "7:1: dataset.train_ids: unknown key 'train_ids'; did you mean 'train_seeds'?",
        ),
        (ids("[]"), "5:1: taskset.train_ids: must contain at least one id"),
        (ids("['']"), "5:1: taskset.train_ids: must not hold an empty text"),
        (ids("[1]"), "5:14: taskset.train_ids.0: expected a string, got the integer 1"),
        (ids("['a', 'a']"), "5:1: taskset.train_ids: names a more than once"),
        (
            ids("['a']", "['a']", "train_split = 'x'\nheldout_split = 'x'"),
            "6:1: taskset.heldout_ids: train_ids and heldout_ids must be disjoint; overlapping ids: a",
        ),
        (seeds() + ids(), "7:2: taskset: both [dataset] and [taskset] are given; keep one of them"),
    ],
)
def test_rows_that_make_no_sense_are_refused(row_lines, text, line):
    assert row_lines(text) == [line]


def test_an_id_may_name_a_row_in_each_of_two_splits(rows):
    assert rows(ids("['a', '7']", "['a']")).train == ("a", "7")


POOLS = ids("['a', 'b', 'c']", "['x', 'y']", "[gepa.task_pools]\n")
SEED_POOLS = seeds("'0-9'", "'20-29'", "[gepa.seed_pools]\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (POOLS + "pareto = []", "8:1: gepa.task_pools.pareto: must contain at least one row"),
        (POOLS + "pareto = ['a', 'a']", "8:1: gepa.task_pools.pareto: names a more than once"),
        (
            POOLS + "pareto = ['z', 'a']",
            "8:1: gepa.task_pools.pareto: holds rows that are not among the train rows: z",
        ),
        (
            POOLS + "pareto = [1]",
            "8:1: gepa.task_pools.pareto: holds rows that are not among the train rows: 1",
        ),
        (
            POOLS + "heldout = ['a']",
            "8:1: gepa.task_pools.heldout: holds rows that are not among the heldout rows: a",
        ),
        (
            POOLS + "minibatch = ['a', 'b']\nreflection = ['b', 'c']",
            "8:1: gepa.task_pools.minibatch: holds rows that are not among the reflection pool: a",
        ),
        (
            POOLS + "pareto = [1.5]",
            "8:11: gepa.task_pools.pareto.0: expected an integer or a string, got the float 1.5",
        ),
        (
            SEED_POOLS + "pareto_eval = '5-12'",
            "8:1: gepa.seed_pools.pareto_eval: holds rows that are not among the train rows: 10, 11, 12",
        ),
        (
            SEED_POOLS + "validation = [5]",
            "8:1: gepa.seed_pools.validation: holds rows that are not among the heldout rows: 5",
        ),
        (
            SEED_POOLS + "minibatch = [5]\n[gepa.task_pools]\npareto = [1]",
            "7:7: gepa.seed_pools: both task_pools and seed_pools are given; keep one of them",
        ),
    ],
)
def test_pools_are_held_against_the_rows(row_lines, text, line):
    assert row_lines(text) == [line]


def test_pools_may_be_ranges(parse):
    pools = parse("[gepa.task_pools]\npareto = '0-1'\nminibatch = [2, 3]").config.gepa.task_pools
    assert (pools.pareto, pools.minibatch, pools.reflection, pools.heldout) == ((0, 1), (2, 3), None, None)
