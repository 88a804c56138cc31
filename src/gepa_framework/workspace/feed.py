"""The event feed beside the database: an export for people and pipes, rebuilt whenever it is opened."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import IO

from gepa_framework.errors import WorkspaceError
from gepa_framework.workspace.database import file_errors
from gepa_framework.workspace.journal import Line

#: The cure for a journal that has lost rows.
RESTORE = (
    "restore the journal from a backup: workspace.sqlite with the files beside it that begin with its name, "
    "or what else its store keeps"
)
#: How many events are written in one go.
_AT_ONCE = 1000


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
        last = _last_seq(path)
        if last > events:
            raise WorkspaceError(
                f"{path} goes on to event {last}, and the journal ends at event {events}: it has lost rows",
                hint=f"{RESTORE}; to go on without what is lost, delete both feeds",
            )


def _last_seq(path: Path) -> int:
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


def _rewrite(path: Path) -> IO[str]:
    return path.open("w", encoding="utf-8", errors="surrogatepass")


class Feed:
    """Writes ``events.jsonl`` and ``events.normalized.jsonl``.

    Args:
        run_dir: The run's directory.
        lines: Every event that is on record; the files are made to hold just these.

    Raises:
        WorkspaceError: The files cannot be written.
    """

    def __init__(self, run_dir: Path, lines: Iterable[Line] = ()) -> None:
        self.path, self.normalised_path = feeds(run_dir)
        with ExitStack() as opened:
            with file_errors(self.path):
                self._feed = opened.enter_context(_rewrite(self.path))
                self._normalised = opened.enter_context(_rewrite(self.normalised_path))
            self.write(lines)
            opened.pop_all()

    def write(self, lines: Iterable[Line]) -> None:
        """Append events and hand them to the operating system.

        Raises:
            DiskBudgetError: There is no room; the events are on record all the same.
        """
        with file_errors(self.path):
            rest = iter(lines)
            # A write for each line takes longer than to make it; all of a long run would fill the memory.
            while some := tuple(islice(rest, _AT_ONCE)):
                self._feed.write("".join(map(feed_line, some)))
                self._normalised.write("".join(map(normalised_line, some)))
            self._feed.flush()
            self._normalised.flush()

    def close(self) -> None:
        """Close both files."""
        self._feed.close()
        self._normalised.close()
