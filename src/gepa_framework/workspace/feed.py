"""The event feed beside the database: an export for people and pipes, rebuilt whenever it is opened."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from gepa_framework.workspace.database import file_errors
from gepa_framework.workspace.journal import Line


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
            for line in lines:
                self._feed.write(feed_line(line))
                self._normalised.write(normalised_line(line))
            self._feed.flush()
            self._normalised.flush()

    def close(self) -> None:
        """Close both files."""
        self._feed.close()
        self._normalised.close()
