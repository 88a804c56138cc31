"""The end of a feed: the lines that a reader, or a run that is taken up, has to look at."""

from __future__ import annotations

import os
import re

import attrs

#: The least that is read of the end of a feed when a run is taken up, in bytes.
#:
#: A process that dies leaves a beginning of what it would have written, torn at the end at the worst. When
#: the power goes, what the kernel had not written back yet may be garbled as well: the last half minute or
#: so, which is less than this at 40 rollouts a second. What is further back is proved by `gepa verify`.
TAIL_BYTES = 1 << 20

#: A longer line is no event: the largest ones hold the texts of one candidate.
MAX_LINE_BYTES = 64 << 20

_SEQ = re.compile(rb'\{"seq":([1-9][0-9]{0,18}),')


class EndlessLineError(ValueError):
    """A file has no line break where one must be; it is no feed."""


@attrs.frozen
class Tail:
    """The end of a file of lines.

    Attributes:
        start: Offset of the first of the lines, in bytes.
        lines: Whole lines, each with its line break; none only where the file has none.
        torn: What stands behind the last line break.
    """

    start: int
    lines: tuple[bytes, ...]
    torn: bytes

    @property
    def end(self) -> int:
        """Offset behind the last whole line, in bytes."""
        return self.start + sum(map(len, self.lines))


def read_tail(handle: int, least: int, *, size: int | None = None) -> Tail:
    """Read the end of a file in whole lines.

    Args:
        handle: Its file descriptor; where it stands does not matter and is not changed.
        least: How many bytes to read at the least; more are read where they hold no whole line.
        size: Take the file to end here; by default where it ends now.

    Raises:
        OSError: It cannot be read.
        EndlessLineError: Its last line has more than `MAX_LINE_BYTES`.
    """
    size = os.fstat(handle).st_size if size is None else size
    while True:
        start = max(0, size - least)
        block = read_at(handle, size - start, start)
        # A block from the middle of the file begins within a line, as far as anybody knows.
        begin = block.find(b"\n") + 1 if start else 0
        end = block.rfind(b"\n") + 1
        if start == 0 or 0 < begin < end:
            # Not `splitlines`, to which a carriage return is the end of a line as well.
            lines = tuple(part + b"\n" for part in block[begin:end].split(b"\n")[:-1])
            return Tail(start + begin, lines, block[max(begin, end) :])
        if least > 2 * MAX_LINE_BYTES:
            raise EndlessLineError(f"has a line of more than {MAX_LINE_BYTES >> 20} MiB")
        least *= 2


def read_at(handle: int, length: int, offset: int) -> bytes:
    """Read so many bytes from a place, or as many as there are.

    Raises:
        OSError: They cannot be read.
    """
    parts: list[bytes] = []
    while length > 0 and (part := os.pread(handle, length, offset)):
        parts.append(part)
        length, offset = length - len(part), offset + len(part)
    return b"".join(parts)


def seq_of(line: bytes) -> int:
    """Give the number of the event on a line as the framework writes it; 0 where it is no such line."""
    found = _SEQ.match(line)
    return int(found[1]) if found else 0
