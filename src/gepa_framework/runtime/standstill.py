"""Standstill: says who keeps the loop, when nothing else can be said because nothing else runs."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_LOGGER = logging.getLogger(__name__)


@contextmanager
def standstill_told(seconds: float, owner_of: Callable[[str], str]) -> Iterator[None]:
    """Have a line logged whenever the running loop has not turned for so long, then for twice as long.

    A call that waits leaves the loop to others, and has its time limit. One that does not, such as a listener
    in an endless loop, can only be named: nobody can take its thread away.

    Args:
        seconds: How long the loop may stand still without a word.
        owner_of: Gives whose a module is, in the words of errors; nothing where it is nobody's.
    """
    watchdog = _Watchdog(asyncio.get_running_loop(), threading.get_ident(), seconds, owner_of)
    watchdog.start()
    try:
        yield
    finally:
        watchdog.over.set()


class _Watchdog(threading.Thread):
    """Asks the loop for a sign of life, again and again, from a thread of its own.

    Attributes:
        over: Set when there is nothing more to watch.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, thread: int, seconds: float, owner_of: Callable[[str], str]
    ) -> None:
        super().__init__(name="gepa-standstill", daemon=True)
        self.over = threading.Event()
        self._loop, self._thread, self._seconds, self._owner_of = loop, thread, seconds, owner_of

    def run(self) -> None:
        """Watch until it is over."""
        while not self.over.wait(self._seconds):
            turned = threading.Event()
            try:
                self._loop.call_soon_threadsafe(turned.set)
            except RuntimeError:
                return  # the loop is closed
            self._await(turned)

    def _await(self, turned: threading.Event) -> None:
        wait, silent = self._seconds, 0.0
        while not turned.wait(wait) and not self.over.is_set():
            silent += wait
            _LOGGER.warning("nothing has moved for %.3g s: %s", silent, self._said())
            wait = silent

    def _said(self) -> str:
        frame = sys._current_frames().get(self._thread)  # noqa: SLF001 - documented, and nothing else tells
        place = f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else "nowhere"
        owner = next(filter(None, map(self._owner_of, _modules(frame))), "")
        who = f"{owner} does not give the thread back" if owner else "the thread is not given back"
        return f"{who} ({place})"


def _modules(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        yield str(frame.f_globals.get("__name__", ""))
        frame = frame.f_back
