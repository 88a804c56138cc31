"""Work in children that may be killed, and proof that they leave nobody behind."""

from __future__ import annotations

import ctypes
import os
import signal
import time
import traceback
from collections.abc import Callable

from gepa_framework.errors import GepaError

KILLED = -signal.SIGKILL
_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Become the parent of whoever a killed child leaves behind."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no child can be adopted")


def in_child(work: Callable[[], object], *, killed_after: float | None = None) -> int:
    """Do something in a child, and give how it ended: a negative number is that of a signal.

    Args:
        work: What to do.
        killed_after: Seconds after which it is killed, wherever it is.
    """
    child = os.fork()
    if child == 0:
        _work(work)
    if killed_after is not None:
        time.sleep(killed_after)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _work(work: Callable[[], object]) -> None:
    code = 70
    try:
        work()
        code = 0
    except BaseException as error:  # noqa: BLE001 - whatever it was, the child must not go on as the parent
        code = int(getattr(error, "exit_code", 70))
        if not isinstance(error, GepaError):
            traceback.print_exc()
    finally:
        os._exit(code)


def nobody_left() -> bool:
    """Tell whether every child has ended, those of killed children too."""
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return True
    return False
