"""Queries and their intents: the real Banking77 from a directory, or the sample in this package."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import attrs

from gepa_cookbook_banking77.errors import DataError

#: Names the directory that holds the real files.
DATA_ENV: Final = "GEPA_BANKING77_DIR"
#: What the rows in this package are called, to be told from the real ones.
SAMPLE: Final = "banking77-sample"
SPLITS: Final = ("train", "test")
COLUMNS: Final = ("text", "category")
#: Changing it changes which rows every id stands for.
_ORDER_SEED: Final = "banking77-order-1"
_HINT = f"give a directory that holds train.csv and test.csv by --data-dir or {DATA_ENV}"


@attrs.frozen
class Row:
    """One query of a customer.

    Attributes:
        query: What the customer wrote.
        label: The intent that it has.
    """

    query: str
    label: str


@attrs.frozen
class Dataset:
    """Rows by split, in an order in which any beginning is a fair sample of the intents.

    Attributes:
        name: ``banking77`` or ``banking77-sample``.
        source: Where the rows came from, for people.
        splits: Split name to rows.
        labels: Every intent of the training split, sorted.
    """

    name: str
    source: str
    splits: Mapping[str, tuple[Row, ...]]
    labels: tuple[str, ...]

    def describe(self) -> str:
        """Say in one line which data this is."""
        counts = ", ".join(f"{len(rows)} {split}" for split, rows in self.splits.items())
        return f"{self.name} ({self.source}): {counts} queries, {len(self.labels)} intents"


def load_dataset(data_dir: str | Path | None = None) -> Dataset:
    """Load the files of a directory, or the sample where none is given.

    Raises:
        DataError: The directory or one of its files cannot be used.
    """
    if data_dir is None:
        return _assemble(SAMPLE, "written for this cookbook", files(__package__) / "sample")
    directory = Path(data_dir).expanduser().absolute()
    if not directory.is_dir():
        raise DataError(f"{directory} is not a directory", hint=_HINT)
    return _assemble("banking77", str(directory), directory)


def _assemble(name: str, source: str, directory: Traversable) -> Dataset:
    splits = {split: fair_order(read_rows(directory / f"{split}.csv")) for split in SPLITS}
    labels = sorted({row.label for row in splits["train"]})
    unknown = sorted({row.label for row in splits["test"]} - set(labels))
    if unknown:
        raise DataError(f"{source}: test.csv has intents that train.csv has not: {', '.join(unknown[:5])}")
    return Dataset(name=name, source=source, splits=splits, labels=tuple(labels))


def read_rows(file: Traversable) -> list[Row]:
    """Read one CSV file with the columns ``text`` and ``category``.

    Raises:
        DataError: The file is missing, is not UTF-8, or a column or value is missing; names file and line.
    """
    reader = csv.DictReader(io.StringIO(_text(file), newline=""))
    found = tuple(reader.fieldnames or ())
    missing = [column for column in COLUMNS if column not in found]
    if missing:
        raise DataError(
            f"{file}: column {' and '.join(missing)} missing; found {', '.join(found) or 'an empty file'}",
            hint="the first line must be text,category",
        )
    rows = [_row(file, reader.line_num, record) for record in reader]
    if not rows:
        raise DataError(f"{file}: no rows below the header")
    return rows


def _text(file: Traversable) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{file} is missing", hint=_HINT) from None
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: byte {error.start} is not UTF-8") from error


def _row(file: Traversable, line: int, record: Mapping[str, str | None]) -> Row:
    query, label = (record.get(column) or "" for column in COLUMNS)
    for column, value in zip(COLUMNS, (query, label), strict=True):
        if not value.strip():
            raise DataError(f"{file}:{line}: {column} is empty")
    return Row(query=query, label=label.strip())


def fair_order(rows: list[Row]) -> tuple[Row, ...]:
    """Shuffle by the rows' own content, spread so that every beginning has each intent in its share."""
    by_label: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=_lot):
        by_label[row.label].append(row)
    placed = [
        ((rank + _lot(row)) / len(group), index, rank)
        for index, group in enumerate(by_label.values())
        for rank, row in enumerate(group)
    ]
    groups = list(by_label.values())
    return tuple(groups[index][rank] for _, index, rank in sorted(placed))


def _lot(row: Row) -> float:
    digest = hashlib.sha256(f"{_ORDER_SEED}\0{row.label}\0{row.query}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48
