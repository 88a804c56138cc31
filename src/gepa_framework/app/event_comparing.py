"""Comparing two runs by their events: the first semantic difference, with its place and both values."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path
from typing import NoReturn

import attrs

from gepa_framework.app.differences import Absent, Difference, first_difference
from gepa_framework.app.event_lines import EventLine
from gepa_framework.app.event_sources import feed_of, read_events
from gepa_framework.errors import EventCompareError
from gepa_framework.types import JSONObject, JSONValue

#: So much is shown of two texts before the character in which they differ.
_BEFORE = 40


@attrs.frozen
class EventDifference:
    """The first difference between two feeds.

    Attributes:
        seq: The event's number.
        type: Its type; that of the left one where they differ.
        path: Dotted path to the value within the event; empty where one feed has no such event at all.
        left: What the left feed has there; `Absent` for nothing.
        right: What the right one has.
    """

    seq: int
    type: str
    path: str
    left: JSONValue | Absent
    right: JSONValue | Absent

    def to_dict(self) -> JSONObject:
        """Give it as JSON; a side that has nothing there is left out."""
        sides = {"left": self.left, "right": self.right}
        there = {name: side for name, side in sides.items() if not isinstance(side, Absent)}
        return {"seq": self.seq, "type": self.type, "path": self.path, **there}


@attrs.frozen
class EventComparison:
    """What became of comparing two feeds.

    Attributes:
        left: One feed.
        right: The other.
        events: Equal events, from the first one on.
        difference: The first difference; ``None`` where there is none.
    """

    left: Path
    right: Path
    events: int
    difference: EventDifference | None = None

    @property
    def equal(self) -> bool:
        """Whether the feeds tell the same."""
        return self.difference is None

    def to_dict(self) -> JSONObject:
        """Give it as JSON."""
        sides = {"left": str(self.left), "right": str(self.right)}
        difference = self.difference.to_dict() if self.difference else None
        return {**sides, "events": self.events, "difference": difference}

    def check(self) -> None:
        """Raise where they differ.

        Raises:
            EventCompareError: They do; its ``difference`` is the first one.
        """
        if self.difference is not None:
            self._refuse(self.difference)

    def _refuse(self, found: EventDifference) -> NoReturn:
        raise EventCompareError(
            self._ended(found) if not found.path else self._differs(found),
            hint=_CURES.get((found.type, found.path.partition(".")[0]), ""),
            difference=found.to_dict(),
        )

    def _ended(self, found: EventDifference) -> str:
        shorter, longer = self.left, self.right
        if isinstance(found.right, Absent):
            shorter, longer = longer, shorter
        return (
            f"{shorter} ends after event {found.seq - 1}, and {longer}:{found.seq} goes on with event "
            f"{found.seq} ({found.type})"
        )

    def _differs(self, found: EventDifference) -> str:
        left, right = _shown(found)
        return (
            f"event {found.seq} ({found.type}) differs in {found.path}: {left} in {self.left}:{found.seq}, "
            f"{right} in {self.right}:{found.seq}"
        )


_CONFIGURED = "these are not runs of one configuration and seed: compare their gepa.toml"
_CURES = {
    ("gepa.run.started", "seed"): _CONFIGURED,
    ("gepa.run.started", "config_digest"): _CONFIGURED,
    ("gepa.run.started", "limits"): _CONFIGURED,
}


def compare_events(left: str | Path, right: str | Path) -> EventComparison:
    """Compare the events of two runs, ``elapsed_seconds`` aside.

    Args:
        left: The directory of a run, or a file of events, normalised or not.
        right: The same.

    Raises:
        EventFeedError: One of them is no feed, has a line that is no event, or a gap in the numbers.
        WorkspaceError: One of them cannot be read.
    """
    paths = feed_of(left), feed_of(right)
    equal = 0
    for one, other in zip_longest(*map(read_events, paths)):
        if (difference := _first(one, other)) is not None:
            return EventComparison(*paths, equal, difference)
        equal += 1
    return EventComparison(*paths, equal)


def _first(one: EventLine | None, other: EventLine | None) -> EventDifference | None:
    if one is not None and other is not None:
        found = first_difference(_told(one), _told(other))
        return EventDifference(one.seq, one.type, found.path, found.one, found.other) if found else None
    line = one or other
    return EventDifference(line.seq, line.type, "", _whole(one), _whole(other)) if line else None


def _told(line: EventLine) -> JSONObject:
    return {"type": line.type, **line.fields}


def _whole(line: EventLine | None) -> JSONValue | Absent:
    return Absent() if line is None else {"seq": line.seq, **_told(line)}


def _shown(found: EventDifference) -> tuple[str, str]:
    """Give both values as text; of two long texts the part in which they begin to differ."""
    left, right = found.left, found.right
    if isinstance(left, str) and isinstance(right, str):
        pairs = enumerate(zip(left, right, strict=False))
        same = next((at for at, (one, other) in pairs if one != other), min(len(left), len(right)))
        if (at := max(0, same - _BEFORE)) > 0:
            one, other = Difference("", left[at:], right[at:]).shown()
            return f"{one} (from character {at + 1})", f"{other} (from character {at + 1})"
    return Difference("", left, right).shown()
