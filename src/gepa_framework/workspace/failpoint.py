"""Places where a test may have the process killed, or the world spoiled, to see that nothing is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Final

_VARIABLE = "GEPA_FAILPOINT"


class Failpoints:
    """Tells whoever listens which place is passed; nobody does unless a test arms it.

    Attributes:
        act: Called with the place, in whatever thread passes it; ``None`` for nobody.
    """

    __slots__ = ("act",)

    def __init__(self) -> None:
        self.act: Callable[[str], None] | None = None

    def passed(self, place: str) -> None:
        """Note that a place is passed."""
        if self.act is not None:
            self.act(place)

    def arm(self, spec: str) -> None:
        """Die by SIGKILL at the n-th passing of a place.

        Args:
            spec: ``<place>:<n>``; empty for nowhere.
        """
        place, _, count = spec.partition(":")
        self.act = _Death(place, int(count)) if place and count.isdigit() else None


class _Death:
    def __init__(self, place: str, count: int) -> None:
        self._place, self._left = place, count

    def __call__(self, place: str) -> None:
        if place != self._place:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


FAILPOINTS: Final = Failpoints()
FAILPOINTS.arm(os.environ.get(_VARIABLE, ""))
