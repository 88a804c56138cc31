"""What plugins raise."""

from __future__ import annotations

import asyncio
from typing import Final

#: Whatever code of others may raise in a call that nobody has cancelled. What ends a process or a task is the
#: same to them as any other failure; Ctrl-C alone is not theirs.
FOREIGN: Final = (Exception, SystemExit, asyncio.CancelledError)


def asked_to_stop() -> bool:
    """Tell whether the current task is to stop: `asyncio.CancelledError` is of no plugin's making then."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
