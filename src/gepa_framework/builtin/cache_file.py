"""The file of the SQLite cache, used by one thread."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from gepa_framework.errors import CacheCorruptError, CacheFullError, GepaError, WorkspaceError

BUSY_SECONDS = 30.0
_MIB = 1024 * 1024
_APPLICATION_ID = 0x67657061  # "gepa"
_FORMAT = 1
_MAGIC = b"SQLite format 3\0"
_AGAIN = "delete the file: what it held is asked for again"
_CREATE = (
    "CREATE TABLE entries (namespace TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, "
    "digest BLOB NOT NULL, PRIMARY KEY (namespace, key))"
)
_SELECT = "SELECT value, digest FROM entries WHERE namespace = ? AND key = ?"
_INSERT = "INSERT INTO entries VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"


@attrs.frozen
class Entry:
    """One value and where it belongs."""

    namespace: str
    key: str
    value: bytes

    def digest(self) -> bytes:
        """Give the SHA-256 that binds the value to its place."""
        whole = hashlib.sha256()
        for part in (self.namespace.encode(), self.key.encode()):
            whole.update(len(part).to_bytes(8, "big") + part)
        whole.update(self.value)
        return whole.digest()


class CacheFile:
    """Opens itself when first needed: for reading only until something is put."""

    def __init__(self, path: Path, max_mib: int) -> None:
        self.path = path
        self._max_mib = max_mib
        self._connection: sqlite3.Connection | None = None
        self._writable = False

    def get(self, namespace: str, key: str) -> bytes | None:
        """Give the value, or ``None`` where there is none.

        Raises:
            CacheCorruptError: The file or the entry is damaged.
            WorkspaceError: The file cannot be read.
        """
        with self._told():
            connection = self._reader()
            row = connection.execute(_SELECT, (namespace, key)).fetchone() if connection else None
        return None if row is None else self._verified(namespace, key, *row)

    def put_all(self, entries: Sequence[Entry]) -> None:
        """Keep all that are not there yet, in one transaction.

        Raises:
            CacheFullError: The disk, or the size that was allowed, is used up; none of them was kept.
            CacheCorruptError: The file is damaged.
            WorkspaceError: The file cannot be written.
        """
        with self._told():
            connection = self._writer()
            with _transaction(connection):
                rows = [(entry.namespace, entry.key, entry.value, entry.digest()) for entry in entries]
                connection.executemany(_INSERT, rows)

    def close(self) -> None:
        """Let go of the file; the next call opens it again."""
        connection, self._connection, self._writable = self._connection, None, False
        if connection is not None:
            with self._told():
                connection.close()

    def _reader(self) -> sqlite3.Connection | None:
        if self._connection is None and self.path.exists():
            connection = _connect(self.path, _reading_mode(self.path))
            with _closed_on_error(connection):
                connection.execute("PRAGMA query_only = ON")
                if not _is_ours(connection, self.path):
                    connection.close()
                    return None
            self._connection = connection
        return self._connection

    def _writer(self) -> sqlite3.Connection:
        if self._connection is None or not self._writable:
            self.close()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = _connect(self.path, "rwc")
            with _closed_on_error(connection):
                _prepare(connection, self.path, self._max_mib)
            self._connection, self._writable = connection, True
        return self._connection

    def _verified(self, namespace: str, key: str, value: object, digest: object) -> bytes:
        if not isinstance(value, bytes) or Entry(namespace, key, value).digest() != digest:
            raise CacheCorruptError(
                f"{self.path}: the entry of namespace {namespace!r} and key {key!r} is not what was put in",
                hint=_AGAIN,
            )
        return value

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say in our own words what SQLite and the file system have to say."""
        try:
            yield
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.Error as error:
            raise _translated(error, self.path) from error
        except OSError as error:
            raise WorkspaceError(f"the cache {self.path} cannot be opened: {error}") from error


def _reading_mode(path: Path) -> str:
    # A file whose writer was killed must be put right before it can be read, which is writing.
    writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    return "rw" if writable else "ro"


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    # SQLite takes a file too short for a page to be empty, and would write over it.
    if path.exists() and _head(path) not in (b"", _MAGIC):
        raise CacheCorruptError(f"the cache {path} is damaged: it is no SQLite database", hint=_AGAIN)
    return sqlite3.connect(
        f"{path.as_uri()}?mode={mode}", uri=True, timeout=BUSY_SECONDS, isolation_level=None
    )


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(_MAGIC))


def _prepare(connection: sqlite3.Connection, path: Path, max_mib: int) -> None:
    with _transaction(connection):
        if not _is_ours(connection, path):
            connection.execute(_CREATE)
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {_FORMAT}")
    # Before 3.51.3 two processes that write in WAL mode at once may damage the file.
    mode = "WAL" if sqlite3.sqlite_version_info >= (3, 51, 3) else "TRUNCATE"
    connection.execute(f"PRAGMA journal_mode = {mode}")
    # A lost write costs one more question, no truth: the journal of the run is what must be durable.
    connection.execute("PRAGMA synchronous = NORMAL")
    (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.execute(f"PRAGMA max_page_count = {max_mib * _MIB // page_size}")


def _is_ours(connection: sqlite3.Connection, path: Path) -> bool:
    """Tell a cache from an empty file; anything else is refused."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if (application, version) == (_APPLICATION_ID, _FORMAT):
        return True
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if (application, version, tables) == (0, 0, 0):
        return False
    raise CacheCorruptError(
        f"{path} is a SQLite database, but no cache of format {_FORMAT}", hint="give cache.path another file"
    )


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
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
def _closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _translated(error: sqlite3.Error, path: Path) -> GepaError:
    # What Python itself finds wrong with a stored value carries no code.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT}:
        return CacheCorruptError(
            f"the cache {path} is damaged: {error}",
            hint=_AGAIN,
        )
    if code == sqlite3.SQLITE_FULL:
        return CacheFullError(
            f"the cache {path} cannot grow: {error}", hint="free some disk space, or raise cache.max_mib"
        )
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return WorkspaceError(
            f"the cache {path} has been held by another process for {BUSY_SECONDS:g} s",
            hint="wait for that process, or give each run its own cache.path",
        )
    return WorkspaceError(
        f"the cache {path} cannot be used: {error}", hint="check that the path is a file you may write"
    )
