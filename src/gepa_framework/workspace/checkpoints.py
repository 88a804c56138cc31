"""Checkpoints: tallies that are kept now and then, beside the rows that they count."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from gepa_framework.engine import Outcome
from gepa_framework.types import COLUMNS, Row, Store
from gepa_framework.workspace.codec import decode_outcome
from gepa_framework.workspace.tally import Tally

if TYPE_CHECKING:
    from gepa_framework.workspace.journal import Record

#: Events after which there is a further checkpoint: as many as a reader has to go through by itself.
EVERY: Final = 500
#: What ends a run; nothing but an extension comes after it.
ENDINGS: Final = ("gepa.run.finished", "gepa.run.failed", "gepa.run.cancelled")
_LAST: Final = 2**63 - 1


class Checkpoints:
    """Counts what is committed, and says when that is worth a row.

    Args:
        store: Keeps the rows; without a method ``tally`` nothing is counted.
    """

    def __init__(self, store: Store) -> None:
        self._recount: Callable[[], Tally] | None = getattr(store, "tally", None)
        self._tally: Tally | None = None

    def take(self, records: Sequence[Record], elapsed_us: int) -> Sequence[Row]:
        """Count what is about to be committed; give the checkpoint that is due, if one is."""
        if self._recount is None:
            return ()
        tally = self._tally = self._tally or self._recount()
        for record in records:
            tally.input(record.given.kind, record.access, _outcome(record))
            for failure in record.superseded:
                tally.attempt(failure.kind.value, failure.usage)
            for body in record.events:
                tally.event(body)
        over = bool(records[-1].events) and records[-1].events[-1].type in ENDINGS
        if not over and tally.seq - tally.kept < EVERY:
            return ()
        tally.kept = tally.seq
        return ((tally.position, tally.seq, "end" if over else "interval", elapsed_us, tally.text()),)

    def forget(self) -> None:
        """Count again from what is on record: what was taken last is not."""
        self._tally = None


def _outcome(record: Record) -> Outcome | None:
    if record.outcome is None and record.given.effect_id is not None:
        return decode_outcome(record.given.kind, record.given.payload)
    return record.outcome


def read_tally(connection: sqlite3.Connection, *, afresh: bool = False) -> Tally:
    """Count what is on record: the newest checkpoint, and the rows after it.

    Args:
        connection: To a database of a workspace, of any schema; what it reads is best of one moment.
        afresh: Count all rows instead, whatever the checkpoints say.
    """
    tally = Tally() if afresh else _newest(connection)
    tally.rows(*rows_after(connection, tally))
    return tally


def rows_after(
    connection: sqlite3.Connection, tally: Tally, position: int = _LAST, seq: int = _LAST
) -> Iterator[Iterator[Row]]:
    """Give the inputs, attempts and events that come after what is counted, up to an input and an event."""
    between = {
        "inputs": (tally.position, position),
        "attempts": (tally.position, position),
        "events": (tally.seq, seq),
    }
    return (connection.execute(_between(connection, table), ends) for table, ends in between.items())


def _newest(connection: sqlite3.Connection) -> Tally:
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'checkpoints'").fetchone():
        return Tally()
    newest = "SELECT tallies, position, seq FROM checkpoints ORDER BY position DESC LIMIT 1"
    row = connection.execute(newest).fetchone()
    return Tally(json.loads(row[0]), row[1], row[2]) if row else Tally()


def _between(connection: sqlite3.Connection, table: str) -> str:
    there = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
    columns = ", ".join(name if name in there else "NULL" for name in COLUMNS[table])  # type: ignore[index]
    key = "seq" if table == "events" else "position"
    return f"SELECT {columns} FROM {table} WHERE {key} > ? AND {key} <= ? ORDER BY {key}"  # noqa: S608 - constants
