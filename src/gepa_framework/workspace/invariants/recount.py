"""Recounting: what checkpoints should say, counted again from the rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gepa_framework.types import COLUMNS, Row
from gepa_framework.workspace.tally import Tally


class _Upto:
    """Rows in their order, given out up to an input."""

    def __init__(self, rows: Iterable[Row], at: int) -> None:
        self._rows = iter(rows)
        self._at = at
        self._next = next(self._rows, None)

    def take(self, position: int) -> Iterator[Row]:
        while self._next is not None and self._next[self._at] <= position:
            row, self._next = self._next, next(self._rows, None)
            yield row


def recount(connection: sqlite3.Connection, positions: Iterable[int]) -> Iterator[tuple[int, Tally]]:
    """Give what is on record up to each of some inputs, in their order. The tally is the same each time.

    Raises:
        ValueError, KeyError, TypeError: A row is not what was written.
    """
    rows = [
        _Upto(_rows(connection, table), at) for table, at in (("inputs", 0), ("attempts", 2), ("events", 1))
    ]
    tally = Tally()
    for position in positions:
        tally.rows(*(each.take(position) for each in rows))
        yield position, tally


def _rows(connection: sqlite3.Connection, table: str) -> Iterable[Row]:
    columns = ", ".join(COLUMNS[table])  # type: ignore[index]
    order = {"inputs": "position", "attempts": "position, attempt", "events": "position, seq"}[table]
    return connection.execute(f"SELECT {columns} FROM {table} ORDER BY {order}")


def differences(connection: sqlite3.Connection) -> Iterator[tuple[int, str]]:
    """Give for each checkpoint where it differs first from what is on record; empty where it does not.

    Those from a row on that cannot be counted are left out: that row is what has to be mended.
    """
    kept = connection.execute("SELECT position, tallies FROM checkpoints ORDER BY position").fetchall()
    counted = recount(connection, (position for position, _ in kept))
    for position, text in kept:
        try:
            _, tally = next(counted)
        except (ValueError, KeyError, TypeError, StopIteration):
            return
        yield position, _difference(text, tally.counts())


def _difference(text: str, counts: Mapping[str, Mapping[str, int]]) -> str:
    try:
        kept: Any = json.loads(text)
        pairs = [
            (name, key, kept[name].get(key, 0), counts[name].get(key, 0)) for name, key in _keys(kept, counts)
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return f"is no tally: {type(error).__name__}: {error}"
    wrong = next(((name, key, was, now) for name, key, was, now in pairs if was != now), None)
    return "" if wrong is None else "counts {2} of {0} {1}, and there are {3}".format(*wrong)


def _keys(kept: Any, counts: Mapping[str, Mapping[str, int]]) -> Iterator[tuple[str, str]]:
    # One that an older program kept lacks what was not counted then.
    for name in kept:
        yield from ((name, key) for key in sorted({*kept[name], *counts[name]}))
