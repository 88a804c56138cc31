"""The end of a feed, and what is written behind it while the run goes on."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

import attrs

from gepa_framework.app import files
from gepa_framework.app.event_lines import (
    MEND,
    EventLine,
    NoEvent,
    parse_line,
    read_lines,
    too_long,
)
from gepa_framework.app.event_sources import feed_of
from gepa_framework.errors import EventFeedError
from gepa_framework.workspace import (
    MAX_LINE_BYTES,
    EndlessLineError,
    Tail,
    file_errors,
    holder_of,
    read_at,
    read_tail,
)

#: Seconds between two looks at a feed that is followed.
POLL_SECONDS = 0.2
#: So much of a feed is looked at first for its last events, in bytes; and at once while it is followed.
_END, _AT_ONCE = 1 << 16, 1 << 22


def tail_events(source: str | Path, *, last: int = 10, types: str = "*") -> list[EventLine]:
    """Give the last events of a feed; a line that is being written is left out.

    Args:
        source: The directory of a run, or a file of events, normalised or not.
        last: How many at the most.
        types: Those alone whose type matches this pattern, such as ``candidate.*``.

    Raises:
        EventFeedError: There is no feed, a line that was read is no event, or the numbers have a gap.
        WorkspaceError: It cannot be read.
    """
    return list(_Feed(feed_of(source)).last(last, types))


def follow_events(
    source: str | Path,
    *,
    last: int = 10,
    types: str = "*",
    wait: Callable[[float], object] = time.sleep,
) -> Iterator[EventLine]:
    """Give the last events of a feed, and then each as it is written, until nobody works on the run.

    Args:
        source: The directory of a run, which may have no feed yet, or a file of events in one.
        last: How many of those that are there at the most.
        types: Those alone whose type matches this pattern.
        wait: Waits for some seconds, `POLL_SECONDS` each time.

    Raises:
        EventFeedError: There is no feed, a line that was read is no event, or the numbers have a gap.
        WorkspaceError: It cannot be read.
    """
    feed = _Feed(_coming(Path(source), wait))
    yield from feed.last(last, types)
    working = True
    while working:
        # Asked before the file is read: what a process wrote last is not missed.
        working = bool(holder_of(feed.path.parent))
        while new := feed.new():
            yield from (line for line in new if fnmatchcase(line.type, types))
        if working:
            wait(POLL_SECONDS)
    feed.check_there()


def _coming(source: Path, wait: Callable[[float], object]) -> Path:
    """Give the feed of a source, once it is there: a run that has just begun has none."""
    path = source / files.EVENTS
    while source.is_dir() and not path.exists() and holder_of(source):
        wait(POLL_SECONDS)
    return feed_of(source)


@attrs.define
class _Feed:
    """A feed as far as it was read.

    Attributes:
        path: The file.
        offset: What is in front of it was read, in bytes.
        seq: Number of the last event that was read; ``None`` where any may be next.
    """

    path: Path
    offset: int = 0
    seq: int | None = 0

    def last(self, count: int, types: str) -> Iterator[EventLine]:
        """Give the last events, and stand behind them."""
        with self._opened() as handle:
            size = os.fstat(handle).st_size
            tail = self._end(handle, count if types == "*" else 0, size)
        self.offset = tail.start
        self.seq = 0 if tail.start == 0 else None
        found = self._read(tail.lines)
        if types != "*" and count:
            # Those that match may be anywhere.
            lines = read_lines(self.path, tail.end, torn=True)
            found = list(deque((line for line in lines if fnmatchcase(line.type, types)), count))
        yield from found[len(found) - min(count, len(found)) :]

    def _end(self, handle: int, count: int, size: int) -> Tail:
        least = _END
        try:
            while (tail := read_tail(handle, least, size=size)).start and len(tail.lines) < count:
                least *= 4
        except EndlessLineError:
            raise too_long(self.path, self._number(size)) from None
        return tail

    def new(self) -> list[EventLine]:
        """Give events that were written since, in whole lines; none where there are none yet."""
        with self._opened() as handle:
            block, least = b"", _AT_ONCE
            while True:
                block = read_at(handle, least, self.offset)
                end = block.rfind(b"\n") + 1
                if end or len(block) < least:
                    break
                if least > MAX_LINE_BYTES:
                    raise too_long(self.path, self._number(self.offset))
                least *= 2
        return self._read(tuple(part + b"\n" for part in block[:end].split(b"\n")[:-1]))

    def check_there(self) -> None:
        """Raise where what was read is not there any more."""
        with self._opened() as handle:
            size = os.fstat(handle).st_size
        if size < self.offset:
            raise EventFeedError(
                f"{self.path} has become shorter: it ends at byte {size}, and {self.offset} were read",
                hint=MEND,
            )

    def _read(self, lines: tuple[bytes, ...]) -> list[EventLine]:
        return [self._event(line) for line in lines]

    def _event(self, line: bytes) -> EventLine:
        wanted = None if self.seq is None else self.seq + 1
        try:
            event = parse_line(self.path, wanted or 0, line, wanted)
        except NoEvent as error:
            place = f"{self.path}:{self._number(self.offset)}"
            raise EventFeedError(f"{place}: the line {error}", hint=MEND) from None
        self.offset += len(line)
        self.seq = event.seq
        # Without a gap, an event stands on the line of its number.
        return attrs.evolve(event, number=event.seq)

    def _number(self, offset: int) -> int:
        """Count the lines before a place; only an error is worth that."""
        number = 1
        with self._opened() as handle:
            for start in range(0, offset, _AT_ONCE):
                number += read_at(handle, min(_AT_ONCE, offset - start), start).count(b"\n")
        return number

    @contextmanager
    def _opened(self) -> Iterator[int]:
        # Anew each time: the file may be replaced by another of its name.
        with file_errors(self.path), self.path.open("rb", buffering=0) as file:
            yield file.fileno()
