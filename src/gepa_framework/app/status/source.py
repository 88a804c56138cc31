"""Sources: the journal of one run, opened for reading whatever store keeps it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import attrs

from gepa_framework.app import files
from gepa_framework.app.reading import read_run
from gepa_framework.errors import WorkspaceError
from gepa_framework.workspace import (
    Standing,
    check_revision,
    file_errors,
    holder_of,
    read_database,
    read_standing,
    storage_errors,
)

#: What is in the directory of a run, and in no other.
_MARKS = (files.WORKSPACE, files.STORE, files.EVENTS, files.MANIFEST)
_NO_RUN = "name a workspace.sqlite, the directory of a run, or a directory of runs"


@attrs.frozen
class Source:
    """Where the journal of a run is.

    Attributes:
        run_dir: The run's directory.
        database: Its SQLite file; ``None`` where another store keeps it.
    """

    run_dir: Path
    database: Path | None

    @classmethod
    def of(cls, run_dir: Path) -> Source:
        """Give the source of a run, by its directory."""
        database = run_dir / files.WORKSPACE
        # Without either, the database is what is missed.
        elsewhere = (run_dir / files.STORE).is_file() and not database.is_file()
        return cls(run_dir, None if elsewhere else database)

    @property
    def location(self) -> Path:
        """What to name when it cannot be read."""
        return self.database or self.run_dir

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Give a connection for reading alone; all that is read through it is of one moment.

        Raises:
            WorkspaceError: There is no run, or it cannot be read.
            PluginError: Its store cannot be used.
        """
        with closing(self._opened()) as database, storage_errors(self.location):
            yield database

    def _opened(self) -> sqlite3.Connection:
        if self.database is None:
            return read_run(self.run_dir)
        database = read_database(self.database)
        # A lone surrogate is legal in JSON, and so in a text that was made of it.
        database.text_factory = lambda raw: raw.decode("utf-8", "surrogatepass")
        try:
            check_revision(database, self.database)
            with storage_errors(self.database):
                database.execute("BEGIN")
        except BaseException:
            database.close()
            raise
        return database


def read_source(source: Source) -> Standing:
    """Read where a run stands.

    Raises:
        WorkspaceError: There is no run, or it cannot be read.
        PluginError: Its store cannot be used.
    """
    try:
        return _read(source)
    except WorkspaceError:
        if not holder_of(source.run_dir):
            raise
        # Whoever works on it may have begun, or ended, just when the file was opened.
        return _read(source)


def _read(source: Source) -> Standing:
    try:
        with source.connection() as database:
            return read_standing(database)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WorkspaceError(
            f"{source.location}: a row is not what was written: {type(error).__name__}: {error}",
            hint=f"gepa workspace check {source.run_dir} says which",
        ) from error


def find_sources(path: Path) -> tuple[list[Source], bool]:
    """Give the runs that a path names, and whether it is a directory of runs.

    Raises:
        WorkspaceError: It names none.
    """
    with file_errors(path):
        if path.is_file():
            return [Source(path.parent, path)], False
        if not path.is_dir():
            raise WorkspaceError(f"{path} does not exist", hint=_NO_RUN)
        if _is_run(path):
            return [Source.of(path)], False
        return [Source.of(entry) for entry in sorted(path.iterdir()) if _is_run(entry)], True


def _is_run(path: Path) -> bool:
    return any((path / mark).is_file() for mark in _MARKS)
