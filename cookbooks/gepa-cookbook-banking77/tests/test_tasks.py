from __future__ import annotations

import pytest

from gepa_cookbook_banking77.data import Dataset
from gepa_cookbook_banking77.errors import DataError
from gepa_cookbook_banking77.tasks import FIRST_SEED, Taskset


@pytest.fixture
def taskset(sample: Dataset) -> Taskset:
    return Taskset(sample)


@pytest.mark.parametrize(
    ("split", "asked", "task_id", "seed"),
    [
        ("train", "train:12", "train:12", 12),
        ("train", "12", "train:12", 12),
        ("test", "test:7", "test:7", 20_007),
        ("test", "20007", "test:7", 20_007),
    ],
)
def test_a_row_is_found_by_id_and_by_seed(
    taskset: Taskset, split: str, asked: str, task_id: str, seed: int
) -> None:
    (task,) = taskset.select(split, [asked])
    assert (task.task_id, task.seed) == (task_id, seed)
    assert task.payload() == {
        "task_id": task_id,
        "split": split,
        "seed": seed,
        "query": task.row.query,
        "label": task.row.label,
    }


def test_rows_come_in_the_order_asked_for(taskset: Taskset) -> None:
    asked = ["train:5", "0", "train:200", "3"]
    assert [task.index for task in taskset.select("train", asked)] == [5, 0, 200, 3]


def test_without_ids_the_whole_split_comes(taskset: Taskset) -> None:
    assert [task.seed for task in taskset.select("test", [])] == list(range(20_000, 20_112))


@pytest.mark.parametrize(
    "asked", ["train:224", "224", "-1", "", "train:", "x", "train:x", "1.5", "²", "dev:0"]
)
def test_an_unknown_id_is_refused_with_what_there_is(taskset: Taskset, asked: str) -> None:
    with pytest.raises(DataError, match=r"no task|no split"):
        taskset.select("train", [asked])


def test_the_refusal_says_which_ids_there_are(taskset: Taskset) -> None:
    with pytest.raises(DataError, match="it has test:0 to test:111, by seed 20000 to 20111"):
        taskset.select("test", ["7"])


def test_an_id_of_another_split_is_refused(taskset: Taskset) -> None:
    with pytest.raises(DataError, match="asked for in split 'test', but is of split 'train'"):
        taskset.select("test", ["train:1"])


def test_an_unknown_split_names_those_there_are(taskset: Taskset) -> None:
    with pytest.raises(DataError, match="no split 'dev'; there are train, test"):
        taskset.select("dev", ["1"])


def test_no_seed_names_rows_of_two_splits() -> None:
    assert FIRST_SEED["test"] > FIRST_SEED["train"] + 10_003
