"""Rebuilding what a database derives from its journal: views made again, checkpoints counted again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TypeAlias

import attrs

from gepa_framework.errors import WorkspaceError
from gepa_framework.workspace.checkpoints import ENDINGS, EVERY
from gepa_framework.workspace.database import (
    REVISION,
    SCHEMA_FILE,
    check_revision,
    open_database,
    read_database,
    storage_errors,
)
from gepa_framework.workspace.failpoint import FAILPOINTS
from gepa_framework.workspace.invariants import recount

_Checkpoint: TypeAlias = "tuple[int, int, str, int, str]"
_COLUMNS = "position, seq, kind, elapsed_us, tallies"


@cache
def expected_views() -> Mapping[str, str]:
    """Give the statement of every view that a workspace of now has."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(SCHEMA_FILE.read_text(encoding="utf-8"))
        return dict(_views(database))


def is_same_view(statement: str, other: str) -> bool:
    """Tell whether two statements make the same view, however they are laid out."""
    return statement.split() == other.split()


@attrs.frozen
class _Wanted:
    """What is to be changed.

    Attributes:
        views: Whether the views are others than they should be.
        checkpoints: The checkpoints as they should be.
        recounted: Whether they are others now.
    """

    views: bool
    checkpoints: tuple[_Checkpoint, ...]
    recounted: bool


def rebuild_database(path: Path) -> tuple[str, ...]:
    """Make again what is derived in a database, in one transaction, and give what was not as it should be.

    The rows of the journal must have been proved before. A database in which all is as it should be is not
    written to; one of an older schema is migrated.

    Raises:
        WorkspaceError: It cannot be read or written.
        DiskBudgetError: There is no room; nothing was changed.
    """
    with storage_errors(path):
        with closing(read_database(path)) as database:
            old = check_revision(database, path) < REVISION
            wanted = None if old else _wanted(database)
        if wanted is not None and not (wanted.views or wanted.recounted):
            return ()
        with closing(open_database(path)) as database:
            return _rebuilt(database, ("schema",) if old else ())


def _rebuilt(database: sqlite3.Connection, changed: tuple[str, ...]) -> tuple[str, ...]:
    database.execute("BEGIN IMMEDIATE")
    try:
        wanted = _wanted(database)
        if wanted.views:
            _make_views(database)
            changed += ("views",)
            FAILPOINTS.passed("amid_rebuild")
        if wanted.recounted:
            database.execute("DELETE FROM checkpoints")
            database.executemany(
                f"INSERT INTO checkpoints ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608 - constants
                wanted.checkpoints,
            )
            changed += ("checkpoints",)
        FAILPOINTS.passed("amid_rebuild")
        database.execute("COMMIT")
        FAILPOINTS.passed("after_rebuild")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
    return changed


def _wanted(database: sqlite3.Connection) -> _Wanted:
    found, expected = dict(_views(database)), expected_views()
    same = found.keys() == expected.keys() and all(
        is_same_view(found[name], statement) for name, statement in expected.items()
    )
    checkpoints = tuple(_checkpoints(database))
    kept = tuple(database.execute(f"SELECT {_COLUMNS} FROM checkpoints ORDER BY position"))  # noqa: S608 - constants
    return _Wanted(not same, checkpoints, kept != checkpoints)


def _views(database: sqlite3.Connection) -> list[tuple[str, str]]:
    return database.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'view' ORDER BY name"
    ).fetchall()


def _make_views(database: sqlite3.Connection) -> None:
    for name, _ in _views(database):
        quoted = name.replace('"', '""')
        database.execute(f'DROP VIEW "{quoted}"')
    for statement in expected_views().values():
        database.execute(statement)


def _checkpoints(database: sqlite3.Connection) -> Iterator[_Checkpoint]:
    """Give the checkpoints as they should be: where they are, at every end, and where one is far off."""
    due = list(_due(database))
    for (position, seq, kind, elapsed_us), (_, tally) in zip(
        due, recount(database, (each[0] for each in due)), strict=True
    ):
        if (tally.position, tally.seq) != (position, seq):
            raise WorkspaceError(f"input {position} or event {seq} is not where it was written")
        yield position, seq, kind, elapsed_us, tally.text()


def _due(database: sqlite3.Connection) -> Iterator[tuple[int, int, str, int]]:
    kept = {position for (position,) in database.execute("SELECT position FROM checkpoints")}
    # Where a writer of many inputs at once had put one that is lost cannot be told; by then, it had.
    apart = _FAR_OFF if kept else EVERY
    last = 0
    for position, elapsed_us, seq, kind in database.execute(_LAST_EVENTS):
        over = kind in ENDINGS
        if over or position in kept or seq - last >= apart:
            last = seq
            yield position, seq, "end" if over else "interval", elapsed_us


_FAR_OFF = 8 * EVERY
#: Every input with its time, the last event by then, and its type where it follows from that very input.
_LAST_EVENTS = """
    SELECT inputs.position, elapsed_us, max(seq) OVER (ORDER BY inputs.position), type
    FROM inputs LEFT JOIN (SELECT position, max(seq) AS seq, type FROM events GROUP BY position) AS last
      ON last.position = inputs.position
    ORDER BY inputs.position"""
