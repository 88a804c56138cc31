"""Room for SQLite's log, made before it is needed: to write over what is there costs less than to append."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

#: Pages of the log after which SQLite brings them to the database and begins the log again. With its usual
#: thousand it does so, at three syncs each, every sixty iterations or so.
PAGES: Final = 4000
#: Bytes that a page takes in the log, with its head.
_PAGE: Final = 4096 + 24
#: A shorter log is not worth it.
_LEAST: Final = 64 * _PAGE
_MOST: Final = PAGES * _PAGE
#: Commits after which the length is looked at.
_EVERY: Final = 8
#: Room on the disk that is left to everybody else.
_LEFT: Final = 1 << 28


class LogRoom:
    """Keeps the log of a database ahead of what is written to it.

    A sync of a file that has become longer brings its new length to the disk too, which takes about a third
    more than one of a file that has not. So whenever SQLite has made its log longer, it is made twice as long
    with zeros, up to the length at which SQLite begins it again. A log is read up to the first page that does
    not continue it, and zeros never do.

    What goes wrong is of no consequence: SQLite makes the log longer by itself.

    Args:
        database: The database, open in WAL mode with one connection that writes, the caller's.
    """

    def __init__(self, database: Path) -> None:
        self._name = f"{database}-wal"
        self._log: int | None = None
        self._length = self._commits = 0

    def committed(self) -> None:
        """Make room if the last commits took the last of it."""
        self._commits += 1
        if self._commits % _EVERY:
            return
        with suppress(OSError):
            if self._log is None:
                # From the first commit on it is the very file that SQLite has open, whatever becomes of its
                # name. SQLite's locks are on other files: to close one that it has locked would free that.
                self._log = os.open(self._name, os.O_WRONLY | os.O_CLOEXEC)
            length = os.fstat(self._log).st_size
            if length > self._length:
                self._length = length + self._lengthen(self._log, length)

    def _lengthen(self, log: int, length: int) -> int:
        more = min(length, _MOST - length)
        if length < _LEAST or more <= 0 or _short_of_space(log, more):
            return 0
        return os.pwrite(log, bytes(more), length)

    def close(self) -> None:
        """Let go of the log."""
        if self._log is not None:
            os.close(self._log)
            self._log = None


def _short_of_space(log: int, more: int) -> bool:
    found = os.fstatvfs(log)
    return found.f_bavail * found.f_frsize < more + _LEFT
