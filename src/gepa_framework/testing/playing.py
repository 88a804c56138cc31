"""Runs a scene of a test on an event loop of its own: within a bound, and leaving no task behind."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

#: How long a scene may take; far more than any needs.
LONGEST_SECONDS = 30.0
#: What is cancelled or done needs a few turns of the loop to be gone.
_TURNS = 20


def play(scene: Coroutine[Any, Any, T], *, seconds: float | None = None) -> T:
    """Run a scene to its end.

    Args:
        scene: The coroutine.
        seconds: How long it may take; `LONGEST_SECONDS` where it is not given.

    Raises:
        AssertionError: It takes longer, or leaves tasks behind.
    """
    allowed = LONGEST_SECONDS if seconds is None else seconds

    async def main() -> T:
        try:
            async with asyncio.timeout(allowed) as bound:
                result = await scene
        except TimeoutError:
            if bound.expired():
                raise AssertionError(f"it was not done within {allowed:g} s") from None
            raise
        await refuse_leftovers()
        return result

    return asyncio.run(main())


async def refuse_leftovers() -> None:
    """Refuse tasks that go on beside the one that asks.

    Raises:
        AssertionError: There are such tasks.
    """
    for _ in range(_TURNS):
        if not _others():
            return
        await asyncio.sleep(0)
    names = ", ".join(sorted(f"{task.get_name()} ({task.get_coro()!r:.120})" for task in _others()))
    raise AssertionError(f"tasks are left behind: {names}")


def _others() -> set[asyncio.Task[Any]]:
    return asyncio.all_tasks() - {asyncio.current_task()}
