"""Task ids: how a row of a split is named, asked for and served."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

import attrs

from gepa_cookbook_banking77.data import Dataset, Row
from gepa_cookbook_banking77.errors import DataError

#: Seed of the first row of a split. They are apart, so that no seed names rows of two splits.
FIRST_SEED: Final = {"train": 0, "test": 20_000}

Payload: TypeAlias = "dict[str, object]"


@attrs.frozen
class Task:
    """One row and its names: ``train:12``, or its seed ``12`` within a split.

    Attributes:
        split: The split that it belongs to.
        index: Its place in the split.
        row: Query and intent.
    """

    split: str
    index: int
    row: Row

    @property
    def task_id(self) -> str:
        """The canonical id, such as ``test:7``."""
        return f"{self.split}:{self.index}"

    @property
    def seed(self) -> int:
        """The number that stands for the row in ``train_seeds`` or ``heldout_seeds``."""
        return FIRST_SEED[self.split] + self.index

    def payload(self) -> Payload:
        """Give the row as it is served."""
        return {
            "task_id": self.task_id,
            "split": self.split,
            "seed": self.seed,
            "query": self.row.query,
            "label": self.row.label,
        }


@attrs.frozen
class Taskset:
    """The dataset, addressed by task ids."""

    dataset: Dataset

    def describe(self) -> Payload:
        """Give what ``/taskset`` answers."""
        splits = {split: len(rows) for split, rows in self.dataset.splits.items()}
        return {
            "taskset_id": self.dataset.name,
            "splits": splits,
            "metadata": {
                "data": self.dataset.describe(),
                "first_seed": dict(FIRST_SEED),
                "task_id_format": "<split>:<index>, or the seed alone within a split",
            },
        }

    def select(self, split: str, task_ids: Iterable[str]) -> list[Task]:
        """Give the tasks of a split in the order asked for; without ids, the whole split.

        Raises:
            DataError: The split or one of the ids is unknown.
        """
        rows = self._rows(split)
        wanted = list(task_ids) or [f"{split}:{index}" for index in range(len(rows))]
        return [self.find(task_id, split) for task_id in wanted]

    def find(self, task_id: str, split: str = "train") -> Task:
        """Give the task of an id; `split` says where an id without one is to be looked for.

        Raises:
            DataError: There is no such task.
        """
        named, colon, number = task_id.rpartition(":")
        if colon and named != split and split in self.dataset.splits and named in self.dataset.splits:
            raise DataError(f"task {task_id!r} was asked for in split {split!r}, but is of split {named!r}")
        home = named if colon else split
        rows = self._rows(home)
        first = 0 if colon else FIRST_SEED[home]
        index = int(number) - first if number.isascii() and number.isdigit() else -1
        if not 0 <= index < len(rows):
            raise DataError(
                f"no task {task_id!r} in split {home!r} of {self.dataset.name}",
                hint=f"it has {home}:0 to {home}:{len(rows) - 1}, "
                f"by seed {FIRST_SEED[home]} to {FIRST_SEED[home] + len(rows) - 1}",
            )
        return Task(split=home, index=index, row=rows[index])

    def _rows(self, split: str) -> tuple[Row, ...]:
        try:
            return self.dataset.splits[split]
        except KeyError:
            known = ", ".join(self.dataset.splits)
            raise DataError(f"no split {split!r}", hint=f"there are {known}") from None
