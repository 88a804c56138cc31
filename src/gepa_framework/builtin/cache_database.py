"""The SQLite database of a cache: opened, recognised or made, and its errors told in our words."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gepa_framework.errors import CacheCorruptError, CacheFullError, GepaError, WorkspaceError

BUSY_SECONDS = 30.0
_MIB = 1024 * 1024
_APPLICATION_ID = 0x67657061  # "gepa"
FORMAT = 2
_MAGIC = b"SQLite format 3\0"
_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
#: Where the header says which version may read the file; 2 stands for WAL.
_READ_VERSION = 19
_WAL = 2
_AGAIN = "delete the file: what it held is asked for again"
#: How recently an entry was used stands apart: a value must not be written anew because it was read.
_CREATE = (
    """CREATE TABLE entries (
        id INTEGER PRIMARY KEY,
        namespace TEXT NOT NULL,
        key TEXT NOT NULL,
        digest BLOB NOT NULL,
        value BLOB NOT NULL,
        UNIQUE (namespace, key)
    )""",
    "CREATE TABLE uses (id INTEGER PRIMARY KEY, used INTEGER NOT NULL)",
    "CREATE INDEX uses_in_order ON uses (used)",
)


def connect_to_write(path: Path, max_mib: int) -> sqlite3.Connection:
    """Open the file for writing, and make it where there is none.

    Raises:
        CacheCorruptError: It is no cache of this format.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = _connect(path, "mode=rwc")
    with closed_on_error(connection):
        with transaction(connection):
            if not _is_ours(connection, path):
                _make(connection)
        # Before 3.51.3 two processes that write in WAL mode at once may damage the file.
        # Of a journal that was cut to nothing, the power may leave the old half below the new one.
        mode = "WAL" if sqlite3.sqlite_version_info >= (3, 51, 3) else "PERSIST"
        connection.execute(f"PRAGMA journal_mode = {mode}")
        # A lost write costs one more question, no truth: the journal of the run is what must be durable.
        connection.execute("PRAGMA synchronous = NORMAL")
        (page_size,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute(f"PRAGMA max_page_count = {max_mib * _MIB // page_size}")
    return connection


def connect_as_it_is(path: Path) -> sqlite3.Connection:
    """Open a file that was recognised for writing, with nothing about it changed."""
    return _connect(path, "mode=rw")


def connect_to_read(path: Path, *, readonly: bool) -> sqlite3.Connection | None:
    """Open the file for reading alone; ``None`` where it is empty.

    Args:
        path: A file that exists.
        readonly: Not even what a killed writer left behind may be put right.

    Raises:
        CacheCorruptError: It is no cache of this format.
    """
    connection = _connect(path, _reading_mode(path, readonly=readonly))
    with closed_on_error(connection):
        connection.execute("PRAGMA query_only = ON")
        if _is_ours(connection, path):
            return connection
    connection.close()
    return None


def is_writable(path: Path) -> bool:
    """Tell whether file and directory may be written to, which is what SQLite needs."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _reading_mode(path: Path, *, readonly: bool) -> str:
    if not readonly and is_writable(path):
        # A file whose writer was killed must be put right before it can be read, which is writing.
        return "mode=rw"
    wal = path.with_name(f"{path.name}-wal")
    at_rest = _head(path)[_READ_VERSION:] == bytes([_WAL]) and not wal.exists()
    # Readers in WAL mode share a file beside it, which they could not make; without writers it is not needed.
    return "mode=ro&immutable=1" if at_rest and not os.access(path.parent, os.W_OK) else "mode=ro"


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    # SQLite takes a file too short for a page to be empty, and would write over it.
    if path.exists() and _head(path)[: len(_MAGIC)] not in (b"", _MAGIC) and not _is_half_written(path):
        raise CacheCorruptError(f"the cache {path} is damaged: it is no SQLite database", hint=_AGAIN)
    return sqlite3.connect(f"{path.as_uri()}?{mode}", uri=True, timeout=BUSY_SECONDS, isolation_level=None)


def _is_half_written(path: Path) -> bool:
    """Tell whether SQLite will first undo what the end of a process, or the power, interrupted."""
    journal = path.with_name(f"{path.name}-journal")
    return journal.exists() and _head(journal).startswith(_JOURNAL_MAGIC)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_READ_VERSION + 1)


def _make(connection: sqlite3.Connection) -> None:
    for statement in _CREATE:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT}")


def _is_ours(connection: sqlite3.Connection, path: Path) -> bool:
    """Tell a cache from an empty file; anything else is refused."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if (application, version) == (_APPLICATION_ID, FORMAT):
        return True
    if application == _APPLICATION_ID:
        raise CacheCorruptError(
            f"{path} is a cache of format {version}, and this version reads format {FORMAT}", hint=_AGAIN
        )
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if (application, version, tables) == (0, 0, 0):
        return False
    raise CacheCorruptError(
        f"{path} is a SQLite database, but no cache of format {FORMAT}", hint="give cache.path another file"
    )


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk has rolled back already, and a second time is an error.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    """Let go of a connection that is of no use."""
    try:
        yield
    except BaseException:
        connection.close()
        raise


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Say in our own words what SQLite and the file system have to say."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise
    except sqlite3.Error as error:
        raise _translated(error, path) from error
    except UnicodeDecodeError as error:
        # What SQLite says of a damaged definition may hold the damage itself.
        raise CacheCorruptError(f"the cache {path} is damaged: {error}", hint=_AGAIN) from error
    except OSError as error:
        raise WorkspaceError(f"the cache {path} cannot be opened: {error}") from error


def is_full(error: sqlite3.Error) -> bool:
    """Tell whether a write failed for want of room."""
    return _code(error) == sqlite3.SQLITE_FULL


def _code(error: sqlite3.Error) -> int:
    # What Python itself finds wrong with a stored value carries no code.
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF


def _translated(error: sqlite3.Error, path: Path) -> GepaError:
    code = _code(error)
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT}:
        return CacheCorruptError(f"the cache {path} is damaged: {error}", hint=_AGAIN)
    if code == sqlite3.SQLITE_FULL:
        return CacheFullError(
            f"the cache {path} cannot grow: {error}", hint="free some disk space, or raise cache.max_mib"
        )
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return WorkspaceError(
            f"the cache {path} has been held by another process for {BUSY_SECONDS:g} s",
            hint="wait for that process, or give each run its own cache.path",
        )
    if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_READONLY_ROLLBACK:
        return WorkspaceError(
            f"the cache {path} was left in the middle of a write, and may not be put right in readonly mode",
            hint='run once with cache.mode = "readwrite"',
        )
    return WorkspaceError(
        f"the cache {path} cannot be used: {error}", hint="check that the path is a file you may write"
    )
