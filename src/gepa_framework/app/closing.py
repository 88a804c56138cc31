"""The end of a run's loop: plugins are closed, and what they leave running is stopped, in bounded time."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gepa_framework.app.building import Built
from gepa_framework.errors import PluginBrokenError
from gepa_framework.runtime import FOREIGN, disown
from gepa_framework.types import Cache, Executor, Proposer, Transport

_LOGGER = logging.getLogger(__name__)
#: How long a plugin may take to let go of the world.
CLOSING_SECONDS = 15.0
#: How long what plugins have left running may take to end once it was stopped.
LEAVING_SECONDS = 5.0


def run_to_end(work: Coroutine[None, None, None]) -> None:
    """Run a coroutine in a loop of its own.

    Raises:
        PluginBrokenError: A task that a plugin had begun tried to end the process.
    """
    if not _in_a_loop():
        _run(work)
        return
    # Called from a notebook: its loop is busy with this very call.
    with ThreadPoolExecutor(1, thread_name_prefix="gepa-run") as pool:
        pool.submit(_run, work).result()


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _run(work: Coroutine[None, None, None]) -> None:
    try:
        asyncio.run(work)
    except SystemExit as error:
        raise PluginBrokenError(
            f"a task that a plugin began tried to end the process: SystemExit: {error}",
            hint="-v shows where; report it to its authors, and resume the run",
        ) from error


async def close_plugins(built: Built) -> None:
    """Close what was built, each whatever the others do, within a bounded time."""
    plugins: list[tuple[str, Transport | Proposer | Cache | Executor]] = [
        ("transport", built.transport),
        ("proposer", built.proposer),
        ("cache", built.cache),
        *([("executor", built.executor)] if built.executor else []),
    ]
    for name, plugin in plugins:
        if error := await _closed(plugin):
            kind = type(error).__name__
            _LOGGER.warning("%s did not close: %s: %s", built.owners[name], kind, error)


async def _closed(plugin: Transport | Proposer | Cache | Executor) -> BaseException | None:
    """Close one plugin and give what came of it; one that goes on all the same is for `leave_nothing`."""

    async def close() -> BaseException | None:
        try:
            await plugin.close()
        except FOREIGN as error:
            return error
        return None

    task = asyncio.create_task(close())
    try:
        done, _ = await asyncio.wait({task}, timeout=CLOSING_SECONDS)
    finally:
        task.cancel()
    return task.result() if done else TimeoutError(f"it takes longer than {CLOSING_SECONDS:g} s")


async def leave_nothing(owner_of: Callable[[str], str]) -> None:
    """Stop the tasks and threads of this loop that are left, and go on without those that do not end.

    Args:
        owner_of: Gives whose a module is, in the words of errors; nothing where it is nobody's.
    """
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        _, left = await asyncio.wait(left, timeout=LEAVING_SECONDS)
    for owner, tasks in _by_owner(left, owner_of).items():
        _LOGGER.warning("%s left %d tasks that do not end although they were stopped", owner, len(tasks))
    for task in left:
        disown(task)
    await _leave_threads()


def _by_owner(
    tasks: set[asyncio.Task[Any]], owner_of: Callable[[str], str]
) -> dict[str, list[asyncio.Task[Any]]]:
    found: dict[str, list[asyncio.Task[Any]]] = {}
    for task in tasks:
        frame = getattr(task.get_coro(), "cr_frame", None)
        module = str(frame.f_globals.get("__name__", "")) if frame is not None else ""
        found.setdefault(owner_of(module) or f"somebody ({task.get_coro()!r})", []).append(task)
    return found


async def _leave_threads() -> None:
    """Let the threads of the loop end; the loop itself would wait for them for minutes, or for ever."""
    loop: Any = asyncio.get_running_loop()
    executor, loop._default_executor = loop._default_executor, None  # noqa: SLF001 - what it would shut down
    if executor is None:
        return
    ended, told = asyncio.Event(), loop.call_soon_threadsafe

    def wait() -> None:
        executor.shutdown(wait=True, cancel_futures=True)
        if not loop.is_closed():
            told(ended.set)

    threading.Thread(target=wait, daemon=True, name="gepa-leaving").start()
    try:
        async with asyncio.timeout(LEAVING_SECONDS):
            await ended.wait()
    except TimeoutError:
        busy = _busy(executor)
        _LOGGER.warning("%d threads that plugins began do not end; the run goes on without them", len(busy))


def _busy(executor: ThreadPoolExecutor) -> Sequence[threading.Thread]:
    return [thread for thread in executor._threads if thread.is_alive()]  # noqa: SLF001 - nobody else knows
