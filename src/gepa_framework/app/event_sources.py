"""What stands for a feed: its file, or the directory of the run that writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gepa_framework.app import files
from gepa_framework.app.event_lines import EventLine, read_lines
from gepa_framework.errors import EventFeedError
from gepa_framework.workspace import file_errors


def feed_of(source: str | Path) -> Path:
    """Give the feed that a path stands for.

    Args:
        source: A file of events, normalised or not, or the directory of a run, which stands for its
            ``events.jsonl``.

    Raises:
        EventFeedError: There is none.
        WorkspaceError: That cannot be found out.
    """
    path = Path(source)
    with file_errors(path):
        if path.is_dir():
            return _within(path)
        if path.is_file():
            return path
    raise EventFeedError(
        f"{path} is neither a file nor a directory",
        hint=f"name the directory of a run, its {files.EVENTS} or its {files.NORMALISED}",
    )


def _within(run_dir: Path) -> Path:
    path = run_dir / files.EVENTS
    if path.is_file():
        return path
    begun = any((run_dir / name).exists() for name in (files.STORE, files.WORKSPACE))
    cure = f"gepa resume {run_dir} writes it again" if begun else "name the directory of a run, or a feed"
    raise EventFeedError(f"{run_dir} holds no {files.EVENTS}", hint=cure)


def read_events(source: str | Path) -> Iterator[EventLine]:
    """Read the events of a run from its feed, one by one.

    Args:
        source: The directory of a run, or a file of events.

    Raises:
        EventFeedError: There is no feed, it is empty, a line of it is no event, or the numbers of the events
            have a gap; the message names file and line.
        WorkspaceError: It cannot be read.
    """
    path = feed_of(source)
    empty = True
    for line in read_lines(path):
        empty = False
        yield line
    if empty:
        raise EventFeedError(f"{path}:1: there is no event: the file is empty")
