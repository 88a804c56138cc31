"""Every event as one line of JSON on stdout, of the form of ``events.jsonl``."""

from __future__ import annotations

import json

from gepa_framework.cli import output
from gepa_framework.types import Event, event_fields


class JsonlDisplay:
    """Writes events to stdout."""

    def start(self) -> None:
        """Nothing is written before the first event."""

    def on_event(self, event: Event) -> None:
        """Write one line."""
        # ASCII, so that no encoding of the terminal can spoil it.
        output.answer(json.dumps(event_fields(event), default=dict, separators=(",", ":")))

    def notice(self, text: str) -> None:
        """Write to stderr, where people are spoken to."""
        output.talk(text)

    def close(self) -> None:
        """Nothing is held."""
