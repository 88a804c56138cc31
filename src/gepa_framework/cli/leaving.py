"""The end of the process, which does not wait for threads that plugins have left running."""

from __future__ import annotations

import os
import sys
import threading
import time

#: How long threads may take to end once the command has answered.
SECONDS = 10.0


def leave_in_time(code: int) -> None:
    """See that the process ends with a code before long: Python itself waits for every thread, for ever."""
    if _left():
        # As a daemon it goes with the process where that ends in time.
        threading.Thread(target=_insist, args=(code,), daemon=True, name="gepa-leaving").start()


def _left() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each is not threading.main_thread() and not each.daemon]


def _insist(code: int) -> None:
    time.sleep(SECONDS)
    names = ", ".join(thread.name for thread in _left())
    sys.stderr.write(f"warning: left without waiting for threads that do not end: {names}\n")
    sys.stderr.flush()
    os._exit(code)
