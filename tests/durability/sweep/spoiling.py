"""A run whose world is spoiled at a point, and which ends by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import attrs
from tests.durability.sweep.children import in_child, nobody_left
from tests.durability.sweep.findings import OnRecord
from tests.durability.sweep.sweep import Point, Sweep

from gepa_framework.errors import GepaError
from gepa_framework.workspace import FAILPOINTS


@attrs.frozen
class Ending:
    """How a child ended.

    Attributes:
        exit_code: Its exit code; 70 where it did not end with an error of ours.
        error_code: That of the error; empty for a good end.
        message: What the error says.
    """

    exit_code: int
    error_code: str = ""
    message: str = ""


class Spoiling(Sweep):
    """A sweep that kills nobody."""

    @property
    def window(self) -> int:
        """Those under way, and those whose outcomes could not be written."""
        return 2 * self.scenario.window

    def ending(self, act: Callable[[str], None] | None = None) -> Ending:
        """Go on in a child that does something at every place, and give how it ended."""
        note = self.base / "told.json"
        note.unlink(missing_ok=True)

        def work() -> None:
            FAILPOINTS.act = act
            try:
                self.go_on()
            except GepaError as error:
                note.write_text(json.dumps([error.error_code, str(error)]))
                raise

        end = in_child(work)
        return Ending(end, *(json.loads(note.read_text()) if note.exists() else ()))

    def mended(self) -> Iterator[str]:
        """Go on in a world that is whole again, and give what is wrong."""
        record = OnRecord.of(self.run_dir).feed
        try:
            yield from self.leg(self.go_on)
            yield from self._compare()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told with the point that led to it
            yield f"{type(error).__name__}: {error}"
        if OnRecord.of(self.run_dir).feed[: len(record)] != record:
            yield "what was on record changed"
        if not nobody_left():
            yield "a process is left behind"


def once_at(point: Point, work: Callable[[], object]) -> Callable[[str], None]:
    """Give what does something when a point is passed."""
    place, _, count = point.partition(":")
    left = int(count)

    def act(passed: str) -> None:
        nonlocal left
        left -= passed == place
        if passed == place and left == 0:
            work()

    return act
