"""The event feed beside the database: an export for people and pipes, which always follows the journal."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from gepa_framework.errors import WorkspaceError
from gepa_framework.workspace.database import file_errors
from gepa_framework.workspace.failpoint import FAILPOINTS
from gepa_framework.workspace.feed_file import FeedFile
from gepa_framework.workspace.feed_tail import TAIL_BYTES
from gepa_framework.workspace.journal import Journal, Line

#: The cure for a journal that has lost rows.
RESTORE = (
    "restore the journal from a backup: workspace.sqlite with the files beside it that begin with its name, "
    "or what else its store keeps"
)

#: Bytes of both feeds after which they are brought to the disk: what a power cut takes is then within what is
#: looked at when the run is resumed.
_SYNCED_AFTER = TAIL_BYTES // 2


def normalised_line(line: Line) -> str:
    """Give an event without its clock: equal runs have equal lines."""
    return f'{{"seq":{line.seq},"type":"{line.type}",{line.body[1:]}\n'


def feed_line(line: Line) -> str:
    """Give an event with the seconds that the run had been worked on."""
    seconds = f"{line.elapsed_us / 1e6:.6f}"
    return f'{{"seq":{line.seq},"elapsed_seconds":{seconds},"type":"{line.type}",{line.body[1:]}\n'


def feeds(run_dir: Path) -> tuple[Path, Path]:
    """Give the paths of the feed and of the normalised one."""
    return run_dir / "events.jsonl", run_dir / "events.normalized.jsonl"


def check_nothing_is_lost(run_dir: Path, events: int) -> None:
    """Hold the end of the journal against the feeds, which are written after it.

    Args:
        run_dir: The run's directory.
        events: Events in the journal.

    Raises:
        WorkspaceError: A feed tells of an event that the journal does not have any more.
    """
    for path in feeds(run_dir):
        last = last_seq(path)
        if last > events:
            raise WorkspaceError(
                f"{path} goes on to event {last}, and the journal ends at event {events}: it has lost rows",
                hint=f"{RESTORE}; to go on without what is lost, delete both feeds and journal.mark",
            )


def last_seq(path: Path) -> int:
    """Give the number of the last event that was written whole; 0 where there is none."""
    with file_errors(path):
        if not path.exists():
            return 0
        with path.open("rb") as file:
            lines = _last_lines(file)
    for line in reversed(lines):
        try:
            return int(json.loads(line)["seq"])
        except (ValueError, KeyError, TypeError):
            continue  # torn, or no event at all: the one before it counts
    return 0


def _last_lines(file: IO[bytes]) -> list[bytes]:
    """Give the end of a file in lines: two whole ones at the least, or all that there are."""
    size, length = file.seek(0, os.SEEK_END), 4096
    while True:
        file.seek(max(0, size - length))
        lines = file.read(length).splitlines()
        if length >= size or len(lines) > 3:  # noqa: PLR2004 - the first may be half of one, the last torn
            return lines if length >= size else lines[1:]
        length *= 2


class Feed:
    """Writes ``events.jsonl`` and ``events.normalized.jsonl``.

    Files that are there are made to hold just the events on record, at a cost that does not grow with the
    run: the end of each is held against the journal, a line that a dying process left unfinished is cut off,
    and what is missing is appended. A file that is not what was written is written again whole, with a
    warning.

    Args:
        run_dir: The run's directory.
        journal: What is on record already; nothing where it is left out.
        written: Called each time that something was written.

    Raises:
        WorkspaceError: The files cannot be read or written.

    Attributes:
        torn: Whether an event could be written in part only: nothing is added until the feed is mended.
    """

    def __init__(
        self, run_dir: Path, journal: Journal | None = None, written: Callable[[], object] = lambda: None
    ) -> None:
        self._written = written
        self._unsynced = 0
        self.path, self.normalised_path = feeds(run_dir)
        self.torn = False
        with ExitStack() as opened:
            self._feed = FeedFile(self.path, feed_line, journal)
            opened.callback(self._feed.close)
            self._normalised = FeedFile(self.normalised_path, normalised_line, journal)
            FAILPOINTS.passed("feed_mended")
            opened.pop_all()

    def write(self, lines: Iterable[Line]) -> None:
        """Append events and hand them to the operating system.

        Raises:
            DiskBudgetError: There is no room; the events are on record all the same.
            WorkspaceError: They cannot be written, or earlier ones could not.
        """
        if self.torn:
            raise WorkspaceError(
                f"{self.path} could not be written before", hint="resume the run: its feeds are mended then"
            )
        timed: list[str] = []
        normalised: list[str] = []
        for line in lines:
            # Here instead of in `feed_line` and `normalised_line`, which would make most of it twice: there
            # are several lines for every rollout.
            tail = f'"type":"{line.type}",{line.body[1:]}\n'
            timed.append(f'{{"seq":{line.seq},"elapsed_seconds":{line.elapsed_us / 1e6:.6f},{tail}')
            normalised.append(f'{{"seq":{line.seq},{tail}')
        self._write(self._feed, "".join(timed))
        FAILPOINTS.passed("amid_feed")
        self._write(self._normalised, "".join(normalised))
        if self._unsynced >= _SYNCED_AFTER:
            self._sync()
        self._written()

    def _sync(self) -> None:
        self._unsynced = 0
        for file in (self._feed, self._normalised):
            with file_errors(file.path):
                file.sync()

    def _write(self, file: FeedFile, text: str) -> None:
        data = text.encode("utf-8", "surrogatepass")
        self._unsynced += len(data)
        try:
            file.write(data)
        except OSError as error:
            self.torn = True
            with file_errors(file.path):
                raise error from None

    def close(self) -> None:
        """Bring both files to the disk and close them.

        Raises:
            DiskBudgetError: There is no room; the events are on record all the same.
        """
        with ExitStack() as stack:
            stack.callback(self._feed.close)
            stack.callback(self._normalised.close)
            self._sync()
