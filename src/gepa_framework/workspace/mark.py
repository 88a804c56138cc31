"""The high-water mark: how far a journal had come at the least, kept beside it.

The feeds tell as much and more, but a person may delete them. The mark is written after what it tells of is
on record, and not to the disk each time: it may lag behind and never lead.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import attrs

from gepa_framework.errors import WorkspaceError
from gepa_framework.types import canonical_json
from gepa_framework.workspace.checkpoints import EVERY
from gepa_framework.workspace.database import file_errors
from gepa_framework.workspace.failpoint import FAILPOINTS
from gepa_framework.workspace.feed import RESTORE, check_nothing_is_lost
from gepa_framework.workspace.journal import Journal

MARK = "journal.mark"
#: Bytes of the file: always as many and less than a sector, which a disk writes whole or not at all.
_SIZE = 384
_HINT = "to go on without what is lost, delete it and both feeds"


@attrs.frozen
class Mark:
    """How far a journal had come.

    Attributes:
        inputs: Inputs on record.
        events: Events on record.
        chain: Last link of the inputs' chain, in hexadecimal digits.
    """

    inputs: int
    events: int
    chain: str

    @classmethod
    def of(cls, journal: Journal) -> Mark:
        """Give the mark of a journal as it is now."""
        return cls(journal.inputs, journal.events, journal.chain)

    def line(self) -> bytes:
        """Give the content of the file."""
        told = canonical_json(attrs.asdict(self))
        return f"{hashlib.sha256(told.encode()).hexdigest()} {told}".ljust(_SIZE - 1).encode() + b"\n"


class Marker:
    """Keeps the mark of a journal that is being written.

    Args:
        run_dir: The run's directory.
        journal: What is written.

    Raises:
        WorkspaceError: The file cannot be written.
    """

    def __init__(self, run_dir: Path, journal: Journal) -> None:
        self._path = run_dir / MARK
        self._journal = journal
        with file_errors(self._path):
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        self._write()

    def follow(self) -> None:
        """Move the mark on if the journal has gone far beyond it.

        Raises:
            DiskBudgetError: There is no room; what is on record stays.
        """
        if self._journal.events >= self._events + EVERY:
            self._write()

    def close(self) -> None:
        """Move the mark to the end of the journal and bring it to the disk."""
        try:
            with file_errors(self._path):
                self._write()
                os.fsync(self._file)
        finally:
            os.close(self._file)

    def _write(self) -> None:
        mark = Mark.of(self._journal)
        self._events = mark.events
        with file_errors(self._path):
            os.pwrite(self._file, mark.line(), 0)
        FAILPOINTS.passed("mark_written")


def read_mark(run_dir: Path) -> Mark | None:
    """Read the mark of a run; ``None`` where there is none.

    Raises:
        WorkspaceError: It is not what was written.
    """
    path = run_dir / MARK
    with file_errors(path):
        if not path.is_file():
            return None
        content = path.read_bytes()
    if not content.strip(b"\0"):
        # The power went before its first line was on the disk.
        return None
    mark = _parsed(content)
    if mark is None:
        raise WorkspaceError(
            f"{path}: line 1 is not what was written",
            hint="delete it; the feeds tell as much where they are",
        )
    return mark


def _parsed(content: bytes) -> Mark | None:
    try:
        fields = json.loads(content[65:])
        mark = Mark(fields["inputs"], fields["events"], fields["chain"])
    except (ValueError, KeyError, TypeError):
        return None
    return mark if mark.line() == content else None


def check_mark(run_dir: Path, mark: Mark | None, journal: Journal) -> None:
    """Hold a journal against the mark that was read before it.

    Raises:
        WorkspaceError: The journal ends before the mark, or is another one.
    """
    if mark is None:
        return
    path = run_dir / MARK
    if mark.inputs > journal.inputs or mark.events > journal.events:
        raise WorkspaceError(
            f"{path}: the journal had {mark.inputs} inputs and {mark.events} events and has {journal.inputs} "
            f"and {journal.events}: it has lost rows",
            hint=f"{RESTORE}; {_HINT}",
        )
    if journal.link(mark.inputs) != mark.chain:
        raise WorkspaceError(
            f"{path}: input {mark.inputs} of the journal is not the one that was there: it is another one",
            hint=f"{RESTORE}; {_HINT}",
        )


def check_end(run_dir: Path, journal: Journal) -> None:
    """Hold the end of a journal that nobody writes against feeds and mark, which are written after it.

    Raises:
        WorkspaceError: One of them tells of what the journal does not have any more.
    """
    check_nothing_is_lost(run_dir, journal.events)
    check_mark(run_dir, read_mark(run_dir), journal)
