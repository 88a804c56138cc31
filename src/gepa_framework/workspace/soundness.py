"""Whether a database is sound where the chain of the journal does not reach."""

from __future__ import annotations

import functools
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from gepa_framework.errors import WorkspaceError
from gepa_framework.types import CHECKPOINT, compact_json
from gepa_framework.workspace.checkpoints import ENDINGS, rows_after
from gepa_framework.workspace.database import REVISION, SCHEMA_FILE, check_revision
from gepa_framework.workspace.reading import shelf_of
from gepa_framework.workspace.tally import MAPS, Tally

#: The cure for a database that is not what was written.
DAMAGED = "it was damaged or edited; restore it from a backup"
_RESTORE = "has to be restored from a backup"


def check_database(connection: sqlite3.Connection, path: Path) -> Sequence[str]:
    """Look at all of a database; give what cannot be told, a sentence each.

    Args:
        connection: To the database of a workspace.
        path: Its file.

    Raises:
        WorkspaceError: Something is not what was written; names the first.
    """
    _check_pages(connection, path)
    sound = _structure(connection) == _expected()
    revision = check_revision(connection, path)
    if sound != (revision == REVISION):
        told = f"{path}: a table, an index or a view is not that of schema {revision}"
        raise WorkspaceError(told, hint=_again(path))
    if not sound:
        return (f"the definitions of {path.name}: they are of schema {revision}",)
    _check_texts(connection, path)
    for what in _checkpoints(connection):
        raise WorkspaceError(f"{path}: {what} is not what was written", hint=_again(path))
    return ()


def _again(path: Path) -> str:
    return f"gepa workspace rebuild {path.parent} makes views and checkpoints again; anything else {_RESTORE}"


def _check_pages(connection: sqlite3.Connection, path: Path) -> None:
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise WorkspaceError(f"{path}: {' '.join(found.split())}", hint=DAMAGED)


@functools.cache
def _expected() -> Sequence[object]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA_FILE.read_text(encoding="utf-8"))
        return _structure(connection)


def _structure(connection: sqlite3.Connection) -> Sequence[object]:
    """Give what a database is made of, whether it was made at once or brought there step by step."""
    query = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
    return [
        (
            *(kind, name, table),
            # A column that was added stands at the end, and is laid out as its migration has it.
            _columns(connection, name) if kind == "table" else "".join((sql or "").split()),
        )
        for kind, name, table, sql in connection.execute(query).fetchall()
    ]


def _columns(connection: sqlite3.Connection, table: str) -> Sequence[object]:
    columns = connection.execute(
        'SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?)', (table,)
    )
    keys = connection.execute('SELECT "table", "from", "to" FROM pragma_foreign_key_list(?)', (table,))
    return [*sorted(columns, key=str), *sorted(keys, key=str)]


def _check_texts(connection: sqlite3.Connection, path: Path) -> None:
    shelf = shelf_of(connection, str(path))
    for (sha256,) in connection.execute("SELECT sha256 FROM blobs").fetchall():
        shelf.text(sha256)


def _checkpoints(connection: sqlite3.Connection) -> Iterator[str]:
    tally, maps = Tally(), set(MAPS)
    query = f"SELECT {', '.join(CHECKPOINT)} FROM checkpoints ORDER BY position"  # noqa: S608 - constants
    for position, seq, kind, elapsed_us, tallies in connection.execute(query).fetchall():
        tally.rows(*rows_after(connection, tally, position, seq))
        counts = _counts(tallies)
        # A map that is not in one was not counted then, and is short from there on.
        maps &= counts.keys()
        counted = tally.counts()
        if (
            (position, seq, kind, elapsed_us) != (tally.position, tally.seq, *_moment(connection, tally))
            or not counts.keys() <= MAPS.keys()
            or any(counts[name] != counted[name] for name in maps)
        ):
            yield f"checkpoint {position}"


def _counts(tallies: object) -> Mapping[str, Any]:
    """Give what a checkpoint counts; what is not laid out as it was written counts what nobody knows."""
    damaged = {"": None}
    try:
        counts = json.loads(tallies) if isinstance(tallies, str) else damaged
    except ValueError:
        return damaged
    return counts if isinstance(counts, dict) and compact_json(counts) == tallies else damaged


def _moment(connection: sqlite3.Connection, tally: Tally) -> Sequence[object]:
    """Give kind and time of the checkpoint that stands where a tally does."""
    at = (tally.seq, tally.position)
    last = connection.execute("SELECT type FROM events WHERE seq = ? AND position = ?", at).fetchone()
    time = connection.execute("SELECT elapsed_us FROM inputs WHERE position = ?", at[1:]).fetchone()
    return ("end" if last and last[0] in ENDINGS else "interval", time and time[0])
