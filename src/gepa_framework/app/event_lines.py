"""Reading feeds: a line is an event with the number that it must have, or an error that names its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import attrs

from gepa_framework.errors import EventFeedError
from gepa_framework.net.strictjson import JSONRefused, load_json
from gepa_framework.types import JSONObject
from gepa_framework.workspace import MAX_LINE_BYTES, file_errors

MEND = "if it is the feed of a run, delete it, and gepa resume RUN writes it again"


class NoEvent(ValueError):  # noqa: N818
    """A line is no event; the message says why, and the reader adds where."""


@attrs.frozen
class EventLine:
    """One event as a feed has it.

    Attributes:
        path: The feed.
        number: Its line, from 1.
        seq: The event's number.
        type: Its type.
        elapsed_seconds: Time that the run had been worked on; ``None`` in a normalised feed.
        fields: The fields of its type.
        text: The line without its line break.
    """

    path: Path
    number: int
    seq: int
    type: str
    elapsed_seconds: float | None
    fields: JSONObject
    text: str = attrs.field(repr=False)

    @property
    def place(self) -> str:
        """Where it is, as ``file:line``."""
        return f"{self.path}:{self.number}"


def parse_line(path: Path, number: int, line: bytes, seq: int | None) -> EventLine:
    """Read one line.

    Args:
        path: Its file.
        number: Its number there.
        line: With its line break or without.
        seq: The number that the event must have; ``None`` where any will do.

    Raises:
        NoEvent: It is no event, or another one.
    """
    try:
        found: Any = load_json(line)
    except JSONRefused as error:
        raise NoEvent(f"is no JSON: {error}" if line.strip() else "is empty") from None
    if not isinstance(found, dict):
        raise NoEvent("is no JSON object")
    fields = dict(found)
    numbered, kind, elapsed = (fields.pop(name, None) for name in ("seq", "type", "elapsed_seconds"))
    if type(numbered) is not int or not (isinstance(kind, str) and kind):
        raise NoEvent("is no event: it has no number 'seq', or no 'type'")
    if elapsed is not None and type(elapsed) not in (int, float):
        raise NoEvent("is no event: 'elapsed_seconds' is no number")
    if seq is not None and numbered != seq:
        raise NoEvent(f"has event {numbered} where event {seq} belongs: the numbers must have no gap")
    text = line.decode("utf-8-sig").removesuffix("\n")
    return EventLine(path, number, numbered, kind, elapsed, fields, text)


def read_lines(path: Path, size: int | None = None, *, torn: bool = False) -> Iterator[EventLine]:
    """Read a feed from its beginning, line by line.

    Args:
        path: The feed.
        size: Read so many bytes; all by default.
        torn: Leave out a last line that is not finished; else it is an error.

    Raises:
        EventFeedError: A line is no event, or has another number than it must have.
        WorkspaceError: The file cannot be read.
    """
    with file_errors(path), path.open("rb") as file:
        for number, line in enumerate(_lines(path, file, size), start=1):
            if line.endswith(b"\n"):
                yield checked(path, number, line, number)
            elif not torn:
                raise torn_line(path, number)


def _lines(path: Path, file: IO[bytes], size: int | None) -> Iterator[bytes]:
    left = size if size is not None else -1
    number = 0
    while left and (line := file.readline(MAX_LINE_BYTES + 1 if left < 0 else min(left, MAX_LINE_BYTES + 1))):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise too_long(path, number)
        left -= len(line) if left > 0 else 0
        yield line


def checked(path: Path, number: int, line: bytes, seq: int | None) -> EventLine:
    """Read one line of which the place is known.

    Raises:
        EventFeedError: It is no event, or another one.
    """
    try:
        return parse_line(path, number, line, seq)
    except NoEvent as error:
        raise EventFeedError(f"{path}:{number}: the line {error}", hint=MEND) from None


def too_long(path: Path, number: int) -> EventFeedError:
    """Give the error for a line that goes on and on."""
    return EventFeedError(
        f"{path}:{number}: the line has more than {MAX_LINE_BYTES >> 20} MiB: this is no feed of events"
    )


def torn_line(path: Path, number: int) -> EventFeedError:
    """Give the error for a last line without its line break."""
    return EventFeedError(
        f"{path}:{number}: the file ends within this line",
        hint="the run goes on, or was stopped while it wrote: wait for its end, or gepa resume RUN mends it",
    )
