"""Keeping runs tidy: what can be made smaller, and deleting. The only writers beside runs themselves."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import attrs

from gepa_framework.app import files
from gepa_framework.app.inspect.record import open_record
from gepa_framework.app.inspect.sizes import size_of
from gepa_framework.app.inspect.standing import ending, is_run
from gepa_framework.errors import GepaError, RunStateError, WorkspaceError
from gepa_framework.workspace import WorkspaceLock, file_errors, storage_errors

#: Exports that `gepa resume` of a finished run writes again. The manifest stays: it knows how many events
#: there are to be, and so a journal that was cut off is noticed.
REBUILT = (
    files.EVENTS,
    files.NORMALISED,
    files.CANDIDATES,
    files.FRONTIER,
    files.BEST,
    files.CHART,
)


@attrs.frozen
class Compacted:
    """What compacting a run came to.

    Attributes:
        run_id: The run.
        run_dir: Its directory.
        before: Bytes of its files before.
        after: Bytes of its files now.
        dropped: Files that were dropped; `gepa resume` writes them again.
        journal: Whether the journal was compacted; another store keeps its own in order.
    """

    run_id: str
    run_dir: str
    before: int
    after: int
    dropped: tuple[str, ...]
    journal: bool


@attrs.frozen
class Deleted:
    """A run that is gone.

    Attributes:
        run_id: The run.
        run_dir: Where it was.
        bytes: What its files took.
        journal: Where its journal is, in the words of its store, where that need not be in the directory.
    """

    run_id: str
    run_dir: str
    bytes: int
    journal: str


def compact_run(run_dir: Path, *, exports: bool = False) -> Compacted:
    """Give back what the files of a run that is over do not need.

    Args:
        run_dir: The run's directory.
        exports: Drop the exports too that can be made again.

    Raises:
        RunStateError: The run is not over.
        WorkspaceLockedError: Another process works on it.
        WorkspaceError: There is no run, or it cannot be written.
    """
    with _held(run_dir):
        before = size_of(run_dir).bytes
        run_id = _finished(run_dir)
        path = run_dir / files.WORKSPACE
        own = path.is_file()
        if own:
            _vacuum(path)
        dropped = tuple(_drop(run_dir)) if exports else ()
        return Compacted(run_id, str(run_dir), before, size_of(run_dir).bytes, dropped, own)


def _finished(run_dir: Path) -> str:
    with open_record(run_dir) as record:
        if ending(record) is None:
            raise RunStateError(
                f"the run in {run_dir} is not over",
                hint="finish it with gepa resume, or delete it with gepa runs delete",
            )
        return record.run_id


def _vacuum(path: Path) -> None:
    with (
        storage_errors(path),
        closing(sqlite3.connect(path, isolation_level=None, timeout=5)) as connection,
    ):
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("VACUUM")
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise WorkspaceError(f"{path} is being read by another process", hint="try again when it is done")


def _drop(run_dir: Path) -> Iterator[str]:
    for name in REBUILT:
        path = run_dir / name
        if path.is_file():
            with file_errors(path):
                path.unlink()
            yield name


def deletable(run_dir: Path) -> None:
    """Tell whether a run may be deleted, as far as that is known beforehand.

    Raises:
        RunStateError: It is a link, or no directory of a run.
        WorkspaceLockedError: Somebody works on it.
        WorkspaceError: It cannot be read.
    """
    with _held(run_dir):
        pass


def delete_run(run_dir: Path) -> Deleted:
    """Delete a run's directory with all that is in it, and note that in the registry; links are not followed.

    Raises what `deletable` raises.
    """
    with _held(run_dir):
        size = size_of(run_dir).bytes
        run_id, journal = _identity(run_dir)
        with file_errors(run_dir):
            shutil.rmtree(run_dir)
    row = files.stamped({"run_id": run_id, "status": "deleted", "run_dir": str(run_dir)})
    files.append_line(run_dir.parent / files.REGISTRY, row)
    return Deleted(run_id, str(run_dir), size, journal)


def _identity(run_dir: Path) -> tuple[str, str]:
    try:
        with open_record(run_dir) as record:
            own = (run_dir / files.WORKSPACE).is_file()
            return record.run_id, "" if own else record.location
    except GepaError:
        # What cannot be read can still be deleted.
        return run_dir.resolve().name, ""


@contextmanager
def _held(run_dir: Path) -> Iterator[None]:
    if run_dir.is_symlink():
        raise RunStateError(f"{run_dir} is a link", hint=f"name the directory itself: {run_dir.resolve()}")
    if not is_run(run_dir):
        raise RunStateError(
            f"{run_dir} is no directory of a run", hint="gepa runs list names those there are"
        )
    lock = WorkspaceLock(run_dir)
    try:
        yield
    finally:
        lock.release()
