"""Looking at the file of the SQLite cache, and making it smaller, apart from any run."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import attrs

from gepa_framework.builtin.cache_database import connect_as_it_is, connect_to_read, told, transaction
from gepa_framework.builtin.cache_room import ENTRY_BYTES, drop_oldest
from gepa_framework.errors import WorkspaceError

_MIB = 1024 * 1024
_GROUPS = "SELECT namespace, count(*), sum(length(value)) FROM entries GROUP BY namespace ORDER BY namespace"
#: What follows the namespace of a run in the one that its answers are kept under.
_BOUNDARIES = ("container.", "proposer.")
#: Later than any use.
_EVER = 2**62


@attrs.frozen
class Answers:
    """Answers of one namespace at one boundary.

    Attributes:
        namespace: As in ``cache.namespace``.
        boundary: Such as ``container.rollout``.
        count: How many.
        bytes: What their values take.
    """

    namespace: str
    boundary: str
    count: int
    bytes: int


@attrs.frozen
class Statistics:
    """What is in a cache.

    Attributes:
        path: The file.
        file_bytes: Its size.
        answers: What it holds, by namespace and boundary.
    """

    path: Path
    file_bytes: int
    answers: tuple[Answers, ...]

    @property
    def count(self) -> int:
        """All answers."""
        return sum(each.count for each in self.answers)


def statistics(path: Path) -> Statistics:
    """Count what is in a cache; writes nothing.

    Raises:
        CacheCorruptError: It is no cache, or damaged.
        WorkspaceError: It is not there, or cannot be read.
    """
    with _opened(path) as connection:
        groups = connection.execute(_GROUPS).fetchall() if connection else []
    answers = tuple(Answers(*_parted(name), count, size) for name, count, size in groups)
    return Statistics(path, path.stat().st_size, answers)


def prune(path: Path, *, max_mib: int | None = None, namespace: str | None = None) -> tuple[int, Statistics]:
    """Drop answers, and give back the room that they took.

    Args:
        path: The file.
        max_mib: Drop what was not used for longest until the rest takes so much at most.
        namespace: Drop everything of this namespace.

    Returns:
        How many answers were dropped, and what is left.

    Raises:
        CacheCorruptError: It is no cache, or damaged.
        WorkspaceError: It is not there, cannot be written, or is held by another process.
    """
    before = statistics(path)
    if before.count:
        with told(path), closing(connect_as_it_is(path)) as connection:
            with transaction(connection):
                if namespace is not None:
                    _drop_namespace(connection, before, namespace)
                if max_mib is not None:
                    drop_oldest(connection, _EVER, _size(connection) - max_mib * _MIB)
            connection.execute("VACUUM")
    after = statistics(path)
    return before.count - after.count, after


def _drop_namespace(connection: sqlite3.Connection, found: Statistics, namespace: str) -> None:
    names = [(f"{each.namespace}:{each.boundary}",) for each in found.answers if each.namespace == namespace]
    connection.executemany("DELETE FROM uses WHERE id IN (SELECT id FROM entries WHERE namespace = ?)", names)
    connection.executemany("DELETE FROM entries WHERE namespace = ?", names)


def _size(connection: sqlite3.Connection) -> int:
    statement = "SELECT coalesce(sum(length(value) + ?), 0) FROM entries"
    (size,) = connection.execute(statement, (ENTRY_BYTES,)).fetchone()
    return int(size)


def _parted(name: str) -> tuple[str, str]:
    """Give namespace and boundary."""
    for kind in _BOUNDARIES:
        namespace, found, boundary = name.partition(f":{kind}")
        if found:
            return namespace, f"{kind}{boundary}"
    return name, ""


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection | None]:
    if not path.exists():
        raise WorkspaceError(f"there is no cache {path}", hint="name the file that cache.path names")
    with told(path):
        connection = connect_to_read(path, readonly=True)
        try:
            yield connection
        finally:
            if connection is not None:
                connection.close()
