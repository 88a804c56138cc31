"""Store ``sqlite``: the journal in ``workspace.sqlite`` of the run's directory."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from gepa_framework.errors import WorkspaceError
from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import (
    CHECKPOINT,
    COLUMNS,
    BuildContext,
    Capability,
    JournalTable,
    Kind,
    NoConfig,
    PluginInfo,
    Row,
    Rows,
)
from gepa_framework.workspace import (
    DAMAGED,
    FAILPOINTS,
    LogRoom,
    Tally,
    check_database,
    check_revision,
    create_database,
    file_errors,
    open_database,
    read_database,
    read_tally,
    storage_errors,
)

FILE_NAME = "workspace.sqlite"

_ORDER: Mapping[JournalTable, tuple[str, ...]] = {
    "inputs": ("position",),
    "attempts": ("position", "attempt"),
    "events": ("seq",),
}


def _insert(table: str, columns: Iterable[str]) -> str:
    columns = tuple(columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - constants


def _select(table: JournalTable, order: str = "") -> str:
    keys = ", ".join(f"{key}{order}" for key in _ORDER[table])
    return f"SELECT {', '.join(COLUMNS[table])} FROM {table} ORDER BY {keys}"  # noqa: S608 - constants


_INSERT = {table: _insert(table, columns) for table, columns in COLUMNS.items()}
_SELECT = {table: _select(table) for table in COLUMNS}
_EVENTS_AFTER = _SELECT["events"].replace(" ORDER BY", " WHERE seq > ? ORDER BY")
_LAST = {table: f"{_select(table, ' DESC')} LIMIT 1" for table in COLUMNS}
_CHECKPOINT = _insert("checkpoints", CHECKPOINT)
#: The first schema with a place for texts, and the first that says how the cache was used.
_WITH_TEXTS, _WITH_ACCESS = "0002", "0003"
_ARTIFACT = (
    "INSERT INTO artifact_refs (seq, path, kind, sha256, bytes) "
    "VALUES ((SELECT coalesce(max(seq), 0) FROM events), ?, ?, ?, ?)"
)
_LATEST_ARTIFACT = "SELECT sha256, bytes FROM artifact_refs WHERE path = ? ORDER BY number DESC LIMIT 1"
_BLOB = "INSERT INTO blobs (sha256, body) VALUES (?, ?) ON CONFLICT DO NOTHING"


_Place: TypeAlias = tuple[int, int]


def _place_of(path: str) -> _Place | None:
    """Tell which file a path leads to; ``None`` where it leads nowhere."""
    try:
        found = os.stat(path)  # noqa: PTH116 - asked at each commit, and a third of what `Path.stat` takes
    except OSError:
        return None
    return found.st_dev, found.st_ino


class SqliteStore:
    """One SQLite file in WAL mode with one writing connection."""

    def __init__(self, path: Path) -> None:
        self._path, self._name = path, str(path)
        self._room = LogRoom(path)
        self._connection: sqlite3.Connection | None = None
        self._place: _Place | None = None
        #: Whether the schema has a place for texts; a file that is only read keeps its older one.
        self.keeps_texts = True
        self._keeps_access = True

    def location(self) -> str:
        """Give the file."""
        return str(self._path)

    def exists(self) -> bool:
        """Tell whether the file is there.

        Raises:
            WorkspaceError: Its directory cannot be read.
        """
        with file_errors(self._path):
            return self._path.exists()

    def create(self, meta: Mapping[str, str]) -> None:
        """Create the file, whole or not at all.

        Raises:
            WorkspaceError: There is one already, or it cannot be written.
        """
        self._connection = create_database(self._path, meta)
        self._place = _place_of(self._name)

    def open(self, *, readonly: bool = False) -> None:
        """Open the file; one of an older schema is migrated, unless it is opened for reading only.

        Raises:
            WorkspaceError: There is none, it is no workspace, or it is newer than this program.
        """
        self._connection = self._reading() if readonly else open_database(self._path)
        self._place = _place_of(self._name)

    def _reading(self) -> sqlite3.Connection:
        connection = read_database(self._path)
        try:
            revision = check_revision(connection, self._path)
            self.keeps_texts = revision >= _WITH_TEXTS
            self._keeps_access = revision >= _WITH_ACCESS
            with storage_errors(self._path):
                # All that is read is of one moment, whatever is written meanwhile.
                connection.execute("BEGIN")
        except BaseException:
            connection.close()
            raise
        return connection

    def meta(self) -> Mapping[str, str]:
        """Give what was recorded of the run when it began.

        Raises:
            WorkspaceError: It is not what was written.
        """
        with storage_errors(self._path):
            meta = dict(self._db.execute("SELECT key, value FROM meta").fetchall())
        if not all(isinstance(part, str) for pair in meta.items() for part in pair):
            told = f"{self._path}: what was recorded when the run began is not what was written"
            raise WorkspaceError(told, hint=DAMAGED)
        return meta

    def append(self, rows: Rows) -> None:
        """Write rows in one transaction that is on the disk when this returns.

        Raises:
            DiskBudgetError: The disk is full; nothing of this call is in the file.
            WorkspaceError: The file cannot be written; nothing of this call is in it.
        """
        database = self._db
        self._check_place()
        with storage_errors(self._path):
            database.execute("BEGIN IMMEDIATE")
            try:
                database.executemany(_INSERT["inputs"], rows.inputs)
                if rows.attempts:
                    database.executemany(_INSERT["attempts"], rows.attempts)
                database.executemany(_INSERT["events"], rows.events)
                if rows.blobs:
                    database.executemany(_BLOB, rows.blobs.items())
                if rows.checkpoints:
                    database.executemany(_CHECKPOINT, rows.checkpoints)
                FAILPOINTS.passed("amid_commit")
                database.execute("COMMIT")
            except BaseException:
                # A full disk has rolled back already.
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise
        self._room.committed()

    def keep_artifacts(self, refs: Sequence[Row]) -> None:
        """Append what was said of files: path, kind, SHA-256 and bytes, where it is not what was said last.

        Raises:
            DiskBudgetError: The disk is full; nothing of this call is in the file.
            WorkspaceError: The file cannot be written; nothing of this call is in it.
        """
        with storage_errors(self._path):
            news = [ref for ref in refs if self._db.execute(_LATEST_ARTIFACT, ref[:1]).fetchone() != ref[2:]]
            if news:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.executemany(_ARTIFACT, news)
                self._db.execute("COMMIT")

    def _check_place(self) -> None:
        """Refuse to write where nobody would find it: SQLite goes on with a file that lost its name."""
        found = _place_of(self._name)
        if found == self._place:
            return
        what = "is gone: it was moved or deleted" if found is None else "was replaced by another file"
        raise WorkspaceError(
            f"{self._path} {what} while the run was going on",
            hint="put the file back that was there, with those beside it that begin with its name, "
            "and resume the run",
        )

    def rows(self, table: JournalTable) -> Iterator[Row]:
        """Give the rows of a table in their order."""
        with storage_errors(self._path):
            for row in self._db.execute(self._query(_SELECT[table])):  # noqa: UP028 - a reader that stops early must not close it
                yield row

    def events_after(self, seq: int) -> Iterator[Row]:
        """Give the rows of ``events`` after the one of that number, without reading those before."""
        with storage_errors(self._path):
            for row in self._db.execute(_EVENTS_AFTER, (seq,)):  # noqa: UP028 - as in `rows`
                yield row

    def last(self, table: JournalTable) -> Row | None:
        """Give the last row of a table, if there is one."""
        with storage_errors(self._path):
            row: Row | None = self._db.execute(self._query(_LAST[table])).fetchone()
            return row

    def _query(self, query: str) -> str:
        return query if self._keeps_access else query.replace(" access,", " NULL,")

    def tally(self) -> Tally:
        """Give the counts of what is on record.

        Raises:
            WorkspaceError: A checkpoint, or a row after the last one, is damaged.
        """
        with storage_errors(self._path):
            try:
                return read_tally(self._db)
            except (ValueError, KeyError, TypeError) as error:
                told = f"{self._path}: what is counted is not what was written: {error}"
                raise WorkspaceError(told, hint=DAMAGED) from error

    def check(self) -> Sequence[str]:
        """Look at what the chain of the journal does not cover; give what cannot be told, a sentence each.

        Raises:
            WorkspaceError: A page, a definition, a text or a checkpoint is not what was written.
        """
        with storage_errors(self._path):
            return check_database(self._db, self._path)

    def blob(self, sha256: str) -> str | None:
        """Give the text under a digest."""
        with storage_errors(self._path):
            row = self._db.execute("SELECT body FROM blobs WHERE sha256 = ?", (sha256,)).fetchone()
            return None if row is None else str(row[0])

    def close(self) -> None:
        """Let go of the file."""
        self._room.close()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def _db(self) -> sqlite3.Connection:
        if self._connection is None:
            raise WorkspaceError(f"{self._path} is not open")
        return self._connection


plugin_info = PluginInfo(
    kind=Kind.STORE,
    name="sqlite",
    api=">=1.0,<2",
    config=NoConfig,
    capabilities=frozenset({Capability.PERSISTENT}),
    summary="Keeps the journal in workspace.sqlite of the run's directory.",
)


@hookimpl
def gepa_make_store(context: BuildContext) -> SqliteStore:
    """Build the store."""
    return SqliteStore(context.run_dir / FILE_NAME)
