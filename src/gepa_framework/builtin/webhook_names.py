"""Looks names up in threads that nobody waits for: a name server may never answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

#: How many questions may be without an answer at once.
MOST_OPEN: Final = 4

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Lookups(ThreadPoolExecutor):
    """What an event loop asks for names with; its threads keep neither the loop nor the process.

    Those of the pool that a loop makes for itself are joined when the loop is closed properly, and once more
    at the end of the process. A question to a name server cannot be taken back, so these are daemons. A loop
    accepts nothing but a `ThreadPoolExecutor`, of which no more than the kind is used.
    """

    def __init__(self) -> None:
        super().__init__(max_workers=MOST_OPEN)
        self._open: list[threading.Thread] = []

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Begin a call in a thread of its own.

        Raises:
            OSError: Too many are without an answer.
        """
        self._open = [thread for thread in self._open if thread.is_alive()]
        if len(self._open) >= MOST_OPEN:
            raise OSError(f"no name server answers: {MOST_OPEN} questions are open")
        future: Future[_T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - it is for whoever awaits it
                future.set_exception(error)
            else:
                future.set_result(result)

        thread = threading.Thread(target=work, name="gepa-webhook-name", daemon=True)
        self._open.append(thread)
        thread.start()
        return future
