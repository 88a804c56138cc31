"""No display at all; only what must be said is said."""

from __future__ import annotations

from gepa_framework.cli import output
from gepa_framework.types import Event


class NoDisplay:
    """Shows nothing."""

    def start(self) -> None:
        """Nothing is shown."""

    def on_event(self, event: Event) -> None:
        """Nothing is shown."""

    def notice(self, text: str) -> None:
        """Write to stderr."""
        output.talk(text)

    def close(self) -> None:
        """Nothing is held."""
