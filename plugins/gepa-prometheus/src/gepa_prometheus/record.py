"""What a resumed run has on record: a listener is told of new events only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from gepa_framework.types import EVENT_TYPES, Event, EventBody

#: The feed of the run's directory; documented, and brought up to date before a resumed run goes on.
_FEED = "events.jsonl"


def recorded(run_dir: Path, before: int) -> Iterator[Event]:
    """Give the events on record with a number below `before`, in their order, as far as they can be read.

    Raises:
        OSError: The feed cannot be read.
    """
    with (run_dir / _FEED).open(encoding="utf-8", errors="surrogatepass") as file:
        for line in file:
            try:
                fields = json.loads(line)
                seq, elapsed = int(fields.pop("seq")), float(fields.pop("elapsed_seconds"))
                type_ = fields.pop("type")
            except (ValueError, TypeError, KeyError, AttributeError):
                return  # torn: whoever writes it mends it
            if seq >= before:
                return
            yield Event(seq, elapsed, _body(type_, fields))


def _body(type_: str, fields: dict[str, object]) -> EventBody:
    try:
        return EVENT_TYPES[type_](**fields)
    except (KeyError, TypeError):
        return EventBody()  # of another version of the framework; it counts as an event
