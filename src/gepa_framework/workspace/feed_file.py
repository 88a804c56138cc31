"""One file of events, made to follow the journal at the cost of its end alone."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path

from gepa_framework.workspace.database import file_errors
from gepa_framework.workspace.feed_tail import TAIL_BYTES, EndlessLineError, Tail, read_tail, seq_of
from gepa_framework.workspace.journal import Journal, Line

_LOGGER = logging.getLogger(__name__)
#: How many events are written in one go.
_AT_ONCE = 1000


class _Different(Exception):  # noqa: N818 - nobody sees it
    """A file does not end with events of the journal; the message says how it does."""


class FeedFile:
    """One of the two files, open for appending, and brought to what is on record.

    Args:
        path: Where it is.
        render: Gives an event's line.
        journal: What it is made to follow.

    Raises:
        WorkspaceError: It cannot be read or written.
    """

    def __init__(self, path: Path, render: Callable[[Line], str], journal: Journal | None) -> None:
        self.path = path
        self._render = render
        with file_errors(path), ExitStack() as opened:
            missing = not path.exists()
            # No buffer: what is written is seen at once, and nothing is copied twice.
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
            opened.callback(self.close)
            if journal is None:
                os.ftruncate(self._handle, 0)
            else:
                self._follow(journal, missing=missing)
            opened.pop_all()

    def _follow(self, journal: Journal, *, missing: bool) -> None:
        """Append what is missing; a file that is not a beginning of what it should be is written again."""
        if missing and journal.events:
            _LOGGER.warning("%s is missing: it is written again from the journal", self.path)
        try:
            self._go_on(journal)
        except _Different as different:
            _LOGGER.warning("%s %s: it is written again from the journal", self.path, different)
            os.ftruncate(self._handle, 0)
            with closing(journal.lines()) as lines:
                self._append(lines)

    def _go_on(self, journal: Journal) -> None:
        try:
            tail = read_tail(self._handle, TAIL_BYTES)
        except EndlessLineError as error:
            raise _Different(str(error)) from None
        first = _first_seq(tail)
        with closing(journal.lines(after=first - 1)) as lines:
            self._hold(tail, lines)
            if tail.torn:
                _LOGGER.info("%s ends within a line: %d bytes are cut off", self.path, len(tail.torn))
                os.ftruncate(self._handle, tail.end)
            self._append(lines)

    def _hold(self, tail: Tail, lines: Iterator[Line]) -> None:
        for found in tail.lines:
            if (line := next(lines, None)) is None:
                raise _Different("is longer than the journal")
            if found != _encoded(self._render(line)):
                raise _Different(f"has another line than event {line.seq} of the journal")

    def _append(self, lines: Iterable[Line]) -> None:
        rest = iter(lines)
        # A write for each line takes longer than to make it; all of a long run would fill the memory.
        while some := tuple(islice(rest, _AT_ONCE)):
            self.write(_encoded("".join(map(self._render, some))))

    def write(self, data: bytes) -> None:
        """Append bytes, all of them.

        Raises:
            OSError: They cannot be written; some of them may have been.
        """
        written = os.write(self._handle, data)
        while written < len(data):
            # A disk that has become full takes a part, and says so at the next attempt.
            written += os.write(self._handle, data[written:])

    def sync(self) -> None:
        """Bring the file to the disk.

        Raises:
            OSError: The disk does not take it.
        """
        os.fsync(self._handle)

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)


def _first_seq(tail: Tail) -> int:
    """Give the number of the event that the end of a file begins with; 1 for an end without a line."""
    if not tail.lines:
        return 1
    first = seq_of(tail.lines[0])
    if (first == 1) != (tail.start == 0) or first == 0:
        raise _Different(f"has no event where one begins, at byte {tail.start}")
    return first


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
