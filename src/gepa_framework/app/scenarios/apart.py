"""A loop in a thread of its own, so that nothing that runs in it can keep the caller for ever."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

import attrs

T = TypeVar("T")


@attrs.define
class _Apart(Generic[T]):
    work: Callable[[], Coroutine[Any, Any, T]]
    answer: Future[T] = attrs.field(factory=Future)
    _cancel: Callable[[], object] = attrs.field(default=lambda: None, init=False)

    def run(self) -> None:
        try:
            self.answer.set_result(asyncio.run(self._main()))
        except BaseException as error:  # noqa: BLE001 - it is for whoever waits for the answer
            self.answer.set_exception(error)

    async def _main(self) -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        if task is not None:
            self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        return await self.work()

    def cancel(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            self._cancel()


def run_apart(work: Callable[[], Coroutine[Any, Any, T]], seconds: float, grace: float) -> T:
    """Run a coroutine in a loop of its own thread and give its answer.

    What interrupts the caller cancels it. A thread that takes no notice is left behind: it does not keep the
    process from ending.

    Args:
        work: Makes the coroutine, which has a limit of its own.
        seconds: How long to wait for it.
        grace: How long to wait for it once it is cancelled.

    Raises:
        TimeoutError: It took longer than both.
    """
    apart = _Apart(work)
    thread = threading.Thread(target=apart.run, name="gepa-preflight", daemon=True)
    thread.start()
    try:
        thread.join(seconds)
    finally:
        if thread.is_alive():
            apart.cancel()
            thread.join(grace)
    if thread.is_alive():
        raise TimeoutError
    return apart.answer.result()
