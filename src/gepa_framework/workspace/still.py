"""Reading a database that nobody writes, as it lies there: no lock is taken, and no file made beside it.

SQLite is told that the file never changes. Whoever begins to write to it commits to a log of its own, and
copies that into the file some time later: what is read then may be half of the old and half of the new. So
the file is looked at again whenever something was read of it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from gepa_framework.errors import WorkspaceError
from gepa_framework.workspace.failpoint import FAILPOINTS

_Mark: TypeAlias = tuple[int, int, int, int]


def log_of(path: Path) -> Path:
    """Give the file that SQLite commits to before it copies that into the database."""
    return path.with_name(f"{path.name}-wal")


def open_still(path: Path) -> sqlite3.Connection | None:
    """Open a database that nobody has open; ``None`` where somebody has, or begins to just now."""
    if log_of(path).exists():
        return None
    mark = _mark(path)
    FAILPOINTS.passed("amid_opening_still")
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    connection = sqlite3.connect(uri, uri=True, timeout=5, isolation_level=None, factory=StillConnection)
    live = True
    try:
        connection.watch(path, mark)
        live = connection.is_live()
    finally:
        if live:
            connection.close()
    return None if live else connection


class StillConnection(sqlite3.Connection):
    """Refuses to go on once somebody writes to the file."""

    _path: Path
    _found: _Mark

    def watch(self, path: Path, mark: _Mark) -> None:
        """Keep what the file was like before it was opened."""
        self._path, self._found = path, mark

    def is_live(self) -> bool:
        """Tell whether there is more than what is in the file, or may be."""
        try:
            return log_of(self._path).stat().st_size > 0 or self._is_changed()
        except FileNotFoundError:
            return self._is_changed()

    def _is_changed(self) -> bool:
        try:
            return _mark(self._path) != self._found
        except FileNotFoundError:
            return False  # it was deleted, and can be read to its end all the same

    def cursor(self, factory: Any = None) -> Any:
        """Give a cursor that looks at the file again."""
        return super().cursor(factory or StillCursor)

    def execute(self, *arguments: Any) -> Any:
        """Begin a query, with a cursor that looks at the file again."""
        return self.cursor().execute(*arguments)

    def backup(self, target: sqlite3.Connection, **options: Any) -> None:
        """Copy the database, and see that it is one of one moment."""
        with self.reading():
            super().backup(target, **options)

    @contextmanager
    def reading(self, *, begins: bool = False) -> Iterator[None]:
        """Read, and refuse what was read of a file that changed.

        Args:
            begins: Whether a query begins, which sees all that is committed by then; in a transaction what
                was there when that began is all there is to see.

        Raises:
            WorkspaceError: Somebody writes to the file.
        """
        if begins and not self.in_transaction and self.is_live():
            raise self._refusal()
        try:
            yield
        except sqlite3.Error as error:
            self.settle(error)
            raise
        self.settle()

    def settle(self, error: Exception | None = None) -> None:
        """Refuse what was read, an error included, if the file has changed since it was opened.

        Raises:
            WorkspaceError: It has.
        """
        if self._is_changed():
            raise self._refusal() from error

    def _refusal(self) -> WorkspaceError:
        told = f"somebody began to write to {self._path} while it was read as one that nobody writes"
        return WorkspaceError(told, hint="read it again")


class StillCursor(sqlite3.Cursor):
    """Looks at the file again when it has read something; of many rows, at the last."""

    connection: StillConnection

    def execute(self, *arguments: Any) -> Any:
        """Begin a query."""
        with self.connection.reading(begins=True):
            return super().execute(*arguments)

    def fetchone(self) -> Any:
        """Give a row, or ``None`` after the last."""
        with self.connection.reading():
            return super().fetchone()

    def fetchmany(self, *arguments: Any, **options: Any) -> list[Any]:
        """Give some rows."""
        with self.connection.reading():
            return super().fetchmany(*arguments, **options)

    def fetchall(self) -> list[Any]:
        """Give all rows that are left."""
        with self.connection.reading():
            return super().fetchall()

    def __next__(self) -> Any:
        """Give the next row."""
        try:
            return super().__next__()
        except (StopIteration, sqlite3.Error) as error:
            self.connection.settle(error)
            raise


def _mark(path: Path) -> _Mark:
    """Give what is another after every write."""
    found = os.stat(path)  # noqa: PTH116 - looked at with each row, and a third of what `Path.stat` takes
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
