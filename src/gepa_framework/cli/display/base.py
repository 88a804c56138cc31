"""What every display can do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Protocol

from gepa_framework.cli import output
from gepa_framework.types import Event


class Display(Protocol):
    """A listener that shows a run; it is open from `start` to `close`."""

    def start(self) -> None:
        """Show at once that something is going on."""
        ...

    def on_event(self, event: Event) -> None:
        """Take one event in."""
        ...

    def notice(self, text: str) -> None:
        """Say something to the user without spoiling the display."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was found; may be called again."""
        ...


class Guarded:
    """A display that can harm nothing: when it fails it says so once and is silent from then on.

    Args:
        display: The display proper.
    """

    def __init__(self, display: Display) -> None:
        self._display = display
        self._broken = False

    def start(self) -> None:
        """Start the display."""
        self._try(self._display.start)

    def on_event(self, event: Event) -> None:
        """Hand one event on."""
        self._try(lambda: self._display.on_event(event))

    def notice(self, text: str) -> None:
        """Hand words on, past a display that is broken."""
        self._try(lambda: self._display.notice(text))
        if self._broken:
            output.talk(text)

    def close(self) -> None:
        """Close the display, a broken one too."""
        broken, self._broken = self._broken, False
        self._try(self._display.close, quiet=broken)
        self._broken |= broken

    def _try(self, call: Callable[[], None], *, quiet: bool = False) -> None:
        if self._broken:
            return
        try:
            call()
        except Exception as error:  # noqa: BLE001 - showing a run must never end it
            self._broken = True
            if not quiet:
                self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        with contextlib.suppress(Exception):
            self._display.close()
        output.talk(f"warning: the display failed ({type(error).__name__}: {error}); the run goes on without")
