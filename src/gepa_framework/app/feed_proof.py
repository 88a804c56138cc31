"""Holding the feeds against the journal, line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

import attrs

from gepa_framework.errors import WorkspaceError
from gepa_framework.workspace import RESTORE, Line, feed_line, feeds, file_errors, normalised_line

#: So much of a line is shown.
_SHOWN = 160


@attrs.define
class _Reader:
    """One feed, as far as it was written at some moment."""

    path: Path
    file: IO[bytes]
    left: int
    render: Callable[[Line], str]
    whole: int = 0
    ended: bool = False

    def line(self) -> bytes:
        read = self.file.readline(self.left)
        self.left -= len(read)
        return read

    def meet(self, line: Line) -> None:
        """Hold the next line against the event that it must be."""
        if self.ended:
            return
        found, expected = self.line(), self.render(line).encode("utf-8", "surrogatepass")
        if found == expected:
            self.whole += 1
        elif expected.startswith(found):
            # Only the last line has no line break: what comes after it was not written yet, or never.
            self.ended = True
        else:
            raise WorkspaceError(
                f"{self.path}: line {self.whole + 1} is not event {line.seq} of the journal: it is "
                f"{_shown(found)} and should be {_shown(expected)}",
                hint=f"delete it, and gepa resume {self.path.parent} writes it again",
            )


class FeedProof:
    """The feeds of a run as they are now; to be made before the journal is opened, which is written first.

    Args:
        run_dir: The run's directory.
        only: The name of the one feed that counts; both do where ``None``.
    """

    def __init__(self, run_dir: Path, only: str | None = None) -> None:
        wanted = [
            (path, render)
            for path, render in zip(feeds(run_dir), (feed_line, normalised_line), strict=True)
            if only in (None, path.name)
        ]
        self._sizes = [(path, path.stat().st_size, render) for path, render in wanted if path.is_file()]
        self._missing = [path for path, _ in wanted if not path.is_file()]

    def hold(self, lines: Iterable[Line]) -> list[tuple[Path, int]]:
        """Hold the feeds against the events of the journal, and give how many of them each has.

        Raises:
            WorkspaceError: A line is not the event that it should be, or there are more of them.
        """
        readers = [_Reader(path, path.open("rb"), size, render) for path, size, render in self._sizes]
        try:
            count = 0
            for line in lines:
                count = line.seq
                for reader in readers:
                    with file_errors(reader.path):
                        reader.meet(line)
            for reader in readers:
                _check_over(reader, count)
        finally:
            for reader in readers:
                reader.file.close()
        return [*((reader.path, reader.whole) for reader in readers), *((path, 0) for path in self._missing)]


@attrs.frozen
class FeedsHeld:
    """What became of holding feeds against a journal.

    Attributes:
        proved: Names of the feeds that have every event.
        unproved: What is not known yet of a run that is not over, a sentence each.
    """

    proved: tuple[str, ...]
    unproved: tuple[str, ...]

    @classmethod
    def judge(cls, held: Iterable[tuple[Path, int]], events: int, *, over: bool) -> FeedsHeld:
        """Tell the feeds that are whole from those that are not yet.

        Args:
            held: What `FeedProof.hold` gave.
            events: Events in the journal.
            over: Whether the run is over, and its feeds have to be whole.

        Raises:
            WorkspaceError: One of them has to be whole, and is not.
        """
        proved, unproved = [], []
        for path, whole in held:
            if whole == events:
                proved.append(path.name)
            elif over:
                raise WorkspaceError(
                    f"{path} ends after event {whole}, and the journal has {events}",
                    hint=f"gepa resume {path.parent} writes it again",
                )
            else:
                unproved.append(f"{path.name} ends after event {whole} of {events} so far")
        return cls(tuple(proved), tuple(unproved))


def _check_over(reader: _Reader, events: int) -> None:
    more = b"" if reader.ended else reader.line()
    if more:
        raise WorkspaceError(
            f"{reader.path} goes on after event {events}, where the journal ends: either the journal has "
            f"lost rows, or this was added: {_shown(more)}",
            hint=RESTORE,
        )


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", "replace").rstrip("\n")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
