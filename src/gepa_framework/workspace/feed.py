"""The event feed beside the database: an export for people and pipes, rebuilt whenever it is opened."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import IO

from gepa_framework.workspace.database import file_errors
from gepa_framework.workspace.journal import Line

#: How many events are written in one go.
_AT_ONCE = 1000


def normalised_line(line: Line) -> str:
    """Give an event without its clock: equal runs have equal lines."""
    return f'{{"seq":{line.seq},"type":"{line.type}",{line.body[1:]}\n'


def feed_line(line: Line) -> str:
    """Give an event with the seconds that the run had been worked on."""
    seconds = f"{line.elapsed_us / 1e6:.6f}"
    return f'{{"seq":{line.seq},"elapsed_seconds":{seconds},"type":"{line.type}",{line.body[1:]}\n'


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
        self.path = run_dir / "events.jsonl"
        self.normalised_path = run_dir / "events.normalized.jsonl"
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
