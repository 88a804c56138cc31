"""Room in the file of the SQLite cache: what was not used for longest goes first."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import attrs

#: What a value takes beyond its bytes: names, digest and the indexes, at their largest.
ENTRY_BYTES = 400
#: Share of the file that is cleared at once, so that the next writes need not.
_SHARE = 10
#: Room that would have been enough; where there was as much, it is the disk that is full.
_ENOUGH_TIMES = 3
_ENOUGH_BYTES = 256 * 1024
_BATCH = 256
_OLDEST = (
    "SELECT id, length(value) FROM uses JOIN entries USING (id) WHERE used < ? ORDER BY used, id LIMIT ?"
)


@attrs.frozen
class Room:
    """Pages of the file.

    Attributes:
        page_bytes: Size of a page.
        most: Pages that it may have.
        free: Pages that may still be written.
    """

    page_bytes: int
    most: int
    free: int

    @classmethod
    def of(cls, connection: sqlite3.Connection) -> Room:
        """Measure the file."""

        def pragma(name: str) -> int:
            return int(connection.execute(f"PRAGMA {name}").fetchone()[0])

        most = pragma("max_page_count")
        return cls(pragma("page_size"), most, most - pragma("page_count") + pragma("freelist_count"))

    def was_enough_for(self, needed: int) -> bool:
        """Tell whether so many bytes fit without doubt."""
        return self.free * self.page_bytes > _ENOUGH_TIMES * needed + _ENOUGH_BYTES

    def to_clear(self, needed: int) -> int:
        """Give how many bytes are to be dropped for so many to be written."""
        return max(needed, self.most * self.page_bytes // _SHARE)


class Clock:
    """Order of use, as numbers: shared by all who write the file, and of no time of day.

    Attributes:
        began: The first number that this process gave; what has a lower one it neither wrote nor read.
    """

    def __init__(self) -> None:
        self.began: int | None = None

    def now(self, connection: sqlite3.Connection) -> int:
        """Give the next number; to be called in a transaction."""
        (last,) = connection.execute("SELECT coalesce(max(used), 0) FROM uses").fetchone()
        now = int(last) + 1
        if self.began is None:
            self.began = now
        return now

    def stamp(self, connection: sqlite3.Connection, ids: Iterable[int]) -> None:
        """Note that entries were used just now; to be called in a transaction."""
        now = self.now(connection)
        connection.executemany("UPDATE uses SET used = ? WHERE id = ?", [(now, each) for each in ids])


def drop_oldest(connection: sqlite3.Connection, before: int, wanted: int) -> int:
    """Drop entries that were last used before a number, the oldest first; to be called in a transaction.

    Args:
        connection: To the file.
        before: What was used then or later stays.
        wanted: How many bytes to drop, if there are as many.

    Returns:
        How many bytes were dropped.
    """
    dropped = 0
    while dropped < wanted:
        ids = []
        for number, size in connection.execute(_OLDEST, (before, _BATCH)):
            ids.append((number,))
            dropped += size + ENTRY_BYTES
            if dropped >= wanted:
                break
        if not ids:
            break
        connection.executemany("DELETE FROM entries WHERE id = ?", ids)
        connection.executemany("DELETE FROM uses WHERE id = ?", ids)
    return dropped
