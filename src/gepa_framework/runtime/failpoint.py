"""Places where a test may have the process killed, to see that nothing is lost."""

from __future__ import annotations

import os
import signal

_VARIABLE = "GEPA_FAILPOINT"


class Failpoints:
    """Counts the places passed and dies at the one that the environment names, as ``<place>:<count>``."""

    def __init__(self) -> None:
        place, _, count = os.environ.get(_VARIABLE, "").partition(":")
        self._place = place
        self._left = int(count) if count.isdigit() else 0

    def passed(self, place: str) -> None:
        """Note that a place is passed."""
        if place != self._place:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
