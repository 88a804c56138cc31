"""Reading a run: one connection with every table and view, whatever store its journal is in."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import attrs

from gepa_framework.errors import WorkspaceError
from gepa_framework.types import COLUMNS, Store
from gepa_framework.workspace.database import (
    REVISION,
    SCHEMA_FILE,
    check_revision,
    migrate,
    read_database,
    storage_errors,
)
from gepa_framework.workspace.shelf import Shelf
from gepa_framework.workspace.texts import EVENTS, FORM, INPUTS, is_text_of, references

FILE_NAME = "workspace.sqlite"
_INPUTS = "SELECT payload FROM inputs WHERE kind IN (SELECT value FROM json_each(?))"
_EVENTS = "SELECT body FROM events WHERE type IN (SELECT value FROM json_each(?))"


def readable(run_dir: Path, store: Store | None = None) -> sqlite3.Connection:
    """Give a connection for reading alone that has every table and view of the newest schema.

    A journal in ``workspace.sqlite`` is read where it lies, live while its run goes on: each query sees what
    is committed by then, and a transaction of the reader's holds one moment. One of an older schema, or in
    another store, is copied into memory and is of the moment of the call.

    Args:
        run_dir: The run's directory.
        store: Where the journal is, open for reading; ``None`` for ``workspace.sqlite`` in the directory.

    Raises:
        WorkspaceError: There is no journal, it cannot be read, or it is newer than this program.
    """
    connection = _copy(store) if store is not None else _file(run_dir / FILE_NAME)
    # A lone surrogate is legal in JSON, and so in a text that was made of it.
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogatepass")
    return connection


@attrs.frozen
class _Texts:
    """The texts of a workspace that is read over a connection."""

    where: str
    connection: sqlite3.Connection

    def location(self) -> str:
        """Give what was said."""
        return self.where

    def blob(self, sha256: str) -> str | None:
        """Look the text up."""
        row = self.connection.execute("SELECT body FROM blobs WHERE sha256 = ?", (sha256,)).fetchone()
        return None if row is None else str(row[0])


def shelf_of(connection: sqlite3.Connection, location: str) -> Shelf:
    """Give what puts long texts back into rows of tables that are read over a connection.

    Args:
        connection: As `readable` gives it.
        location: Where the workspace is, for people.
    """
    return Shelf(_Texts(location, connection), apart=_names_texts(connection))


def _names_texts(connection: sqlite3.Connection) -> bool:
    query = "SELECT 1 FROM meta WHERE (key, value) = (?, ?)"
    return all(connection.execute(query, item).fetchone() for item in FORM.items())


def _file(path: Path) -> sqlite3.Connection:
    connection = read_database(path)
    try:
        if check_revision(connection, path) == REVISION:
            return connection
        return _migrated(connection, path)
    except BaseException:
        connection.close()
        raise


def _migrated(older: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    with closing(older), storage_errors(path):
        connection = _memory()
        try:
            older.backup(connection)
            migrate(connection)
        except BaseException:
            connection.close()
            raise
    return _sealed(connection)


def _copy(store: Store) -> sqlite3.Connection:
    connection = _memory()
    try:
        with storage_errors(Path(":memory:")):
            connection.executescript(f"BEGIN;\n{SCHEMA_FILE.read_text(encoding='utf-8')}")
            connection.execute("INSERT INTO alembic_version VALUES (?)", (REVISION,))
            connection.executemany("INSERT INTO meta VALUES (?, ?)", store.meta().items())
            for table, columns in COLUMNS.items():
                names, marks = ", ".join(columns), ", ".join("?" * len(columns))
                query = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - constants
                connection.executemany(query, store.rows(table))
            connection.executemany("INSERT INTO blobs VALUES (?, ?)", _texts(connection, store))
            connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return _sealed(connection)


def _texts(connection: sqlite3.Connection, store: Store) -> Iterator[tuple[str, str]]:
    """Give the texts that the journal names; a store gives none but by its digest."""
    waiting, given = _named(connection), set[str]()
    while waiting:
        if (sha256 := waiting.pop()) in given:
            continue
        given.add(sha256)
        text = store.blob(sha256)
        if text is None:
            raise WorkspaceError(
                f"{store.location()}: there is no text {sha256}", hint="restore it from a backup"
            )
        yield sha256, text
        if not is_text_of(text, sha256):
            waiting += references(text)


def _named(connection: sqlite3.Connection) -> list[str]:
    """Give the digests of requests, and of the long texts of rows."""
    started = connection.execute("SELECT body FROM events WHERE type = 'proposer.started'")
    named = [str(json.loads(body)["request_digest"]) for (body,) in started]
    if _names_texts(connection):
        for query, kinds in ((_INPUTS, INPUTS), (_EVENTS, EVENTS)):
            for (text,) in connection.execute(query, (json.dumps([*kinds]),)):
                named += references(text)
    return named


def _memory() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)


def _sealed(connection: sqlite3.Connection) -> sqlite3.Connection:
    connection.execute("PRAGMA query_only=ON")
    return connection
