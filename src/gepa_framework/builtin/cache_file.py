"""The file of the SQLite cache, used by one thread."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import attrs

from gepa_framework.builtin.cache_database import (
    connect_to_read,
    connect_to_write,
    is_full,
    is_writable,
    told,
    transaction,
)
from gepa_framework.builtin.cache_room import ENTRY_BYTES, Clock, Room, drop_oldest
from gepa_framework.errors import CacheCorruptError, CacheFullError, CacheMissError, WorkspaceError
from gepa_framework.workspace import FAILPOINTS

_SELECT = "SELECT id, key, value, digest FROM entries WHERE namespace = ? AND key = ?"
_LIST = "SELECT id, key, value, digest FROM entries WHERE namespace = ? AND key >= ? ORDER BY key LIMIT ?"
_INSERT = "INSERT INTO entries (namespace, key, digest, value) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_USE = (
    "INSERT INTO uses SELECT id, ? FROM entries WHERE namespace = ? AND key = ? "
    "ON CONFLICT (id) DO UPDATE SET used = excluded.used"
)
_AGAIN = "delete the file: what it held is asked for again"


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
    """Opens itself when first needed: for reading only until something is put.

    Args:
        path: Where it is.
        max_mib: Size that it never exceeds.
        evict: When there is no room, drop what this process neither wrote nor read, the oldest first.
        readonly: Write nothing at all.
    """

    def __init__(self, path: Path, max_mib: int, *, evict: bool = True, readonly: bool = False) -> None:
        self.path = path
        self.readonly = readonly
        self._max_mib = max_mib
        self._evict = evict
        self._connection: sqlite3.Connection | None = None
        self._writable = False
        self._clock = Clock()
        self._read: set[int] = set()

    def check(self) -> None:
        """Look whether it can be used.

        Raises:
            CacheMissError: It is not there, and may only be read.
            CacheCorruptError: It is no cache of this format.
            WorkspaceError: It cannot be opened.
        """
        with told(self.path):
            self._reader()

    def get(self, namespace: str, key: str) -> bytes | None:
        """Give the value, or ``None`` where there is none.

        Raises:
            CacheMissError: The file is not there, and may only be read.
            CacheCorruptError: The file or the entry is damaged.
            WorkspaceError: The file cannot be read.
        """
        with told(self.path):
            connection = self._reader()
            row = connection.execute(_SELECT, (namespace, key)).fetchone() if connection else None
        if row is None:
            return None
        number, _, *kept = row
        # By the key that was asked for: a damaged index leads to the entry of another.
        value = self._verified(namespace, number, key, *kept)
        if not self.readonly:
            self._read.add(number)
        return value

    def page(self, namespace: str, first: str, count: int) -> list[Entry]:
        """Give entries of a namespace by key, from `first` on; raises what `get` raises."""
        with told(self.path):
            connection = self._reader()
            rows = connection.execute(_LIST, (namespace, first, count)).fetchall() if connection else []
        return [Entry(namespace, row[1], self._verified(namespace, *row)) for row in rows]

    def put_all(self, entries: Sequence[Entry]) -> None:
        """Keep all that are not there yet, in one transaction.

        Raises:
            CacheFullError: The disk, or the size that was allowed, is used up; none of them was kept.
            CacheCorruptError: The file is damaged.
            WorkspaceError: The file cannot be written.
        """
        if self.readonly:
            raise WorkspaceError(f"the cache {self.path} is read-only")
        with told(self.path):
            connection = self._writer()
            while True:
                try:
                    return self._insert(connection, entries)
                except sqlite3.OperationalError as error:
                    if not (is_full(error) and self._evict):
                        raise
                    self._make_room(connection, entries, error)

    def close(self) -> None:
        """Note what was read, and let go of the file; the next call opens it again."""
        try:
            if self._read and is_writable(self.path):
                with told(self.path):
                    connection = self._writer()
                    with transaction(connection):
                        self._clock.stamp(connection, self._read)
                self._read.clear()
        finally:
            self._let_go()

    def _let_go(self) -> None:
        connection, self._connection, self._writable = self._connection, None, False
        if connection is not None:
            with told(self.path):
                connection.close()

    def _insert(self, connection: sqlite3.Connection, entries: Sequence[Entry]) -> None:
        with transaction(connection):
            rows = [(entry.namespace, entry.key, entry.digest(), entry.value) for entry in entries]
            connection.executemany(_INSERT, rows)
            now = self._clock.now(connection)
            connection.executemany(_USE, [(now, entry.namespace, entry.key) for entry in entries])
            self._clock.stamp(connection, self._read)
            FAILPOINTS.passed("amid_cache_write")
        self._read.clear()

    def _make_room(
        self, connection: sqlite3.Connection, entries: Sequence[Entry], error: sqlite3.Error
    ) -> None:
        """Drop old entries, in a transaction of its own: the one that found no room is rolled back.

        Raises:
            CacheFullError: There is nothing that may be dropped.
            sqlite3.Error: It is the disk that is full.
        """
        needed = sum(len(entry.value) + ENTRY_BYTES for entry in entries)
        room = Room.of(connection)
        if room.was_enough_for(needed):
            raise error
        if needed > room.most * room.page_bytes:
            raise CacheFullError(
                f"the cache {self.path} may have {self._max_mib} MiB, and {needed} bytes are to be written",
                hint="raise cache.max_mib",
            ) from error
        with transaction(connection):
            self._clock.stamp(connection, self._read)
            dropped = drop_oldest(connection, self._clock.began or 0, room.to_clear(needed))
        self._read.clear()
        if not dropped:
            raise CacheFullError(
                f"the cache {self.path} cannot grow beyond {self._max_mib} MiB, "
                "and all that is in it was written or read by this run or beside it",
                hint="raise cache.max_mib, or give the run a cache.path of its own",
            ) from error

    def _reader(self) -> sqlite3.Connection | None:
        if self._connection is None:
            if self.path.exists():
                self._connection = connect_to_read(self.path, readonly=self.readonly)
            elif self.readonly:
                raise CacheMissError(
                    f"there is no cache {self.path} to read from",
                    hint='correct cache.path, or run once with cache.mode = "readwrite"',
                )
        return self._connection

    def _writer(self) -> sqlite3.Connection:
        if self._connection is None or not self._writable:
            self._let_go()
            self._connection, self._writable = connect_to_write(self.path, self._max_mib), True
        return self._connection

    def _verified(self, namespace: str, number: int, key: str, value: object, digest: object) -> bytes:
        if not isinstance(value, bytes) or Entry(namespace, key, value).digest() != digest:
            raise CacheCorruptError(
                f"{self.path}: the entry of namespace {namespace!r} and key {key!r} (row {number}) "
                "is not what was put in",
                hint=_AGAIN,
            )
        return value
