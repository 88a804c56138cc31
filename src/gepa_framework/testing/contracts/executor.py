"""What holds for every executor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, ClassVar, TypeAlias, TypeVar

import pytest

from gepa_framework.errors import GepaError, ProposerError
from gepa_framework.testing.contracts.info import PluginInfoContract, build
from gepa_framework.testing.leaks import Traces
from gepa_framework.testing.playing import play
from gepa_framework.types import BuildContext, Capability, Executor, Kind

T = TypeVar("T")
OpenExecutor: TypeAlias = "Callable[[], Executor]"


@asynccontextmanager
async def _opened(open_executor: OpenExecutor) -> AsyncIterator[Executor]:
    executor = open_executor()
    try:
        yield executor
    finally:
        await executor.close()


def _with(open_executor: OpenExecutor, scene: Callable[[Executor], Coroutine[Any, Any, T]]) -> T:
    async def main() -> T:
        async with _opened(open_executor) as executor:
            return await scene(executor)

    return play(main())


class ExecutorContract(PluginInfoContract):
    """Tests of an executor. Override `plugin`, and `config` where keys are needed."""

    kind = Kind.EXECUTOR

    @pytest.fixture
    def open_executor(self, plugin: object, config: object, context: BuildContext) -> OpenExecutor:
        """Give what builds a new executor."""
        return lambda: build(plugin, config, context)

    def test_the_answer_of_a_call_is_given(self, open_executor: OpenExecutor) -> None:
        """`submit` gives what the call gives."""

        async def call() -> dict[str, int]:
            await asyncio.sleep(0)
            return {"answer": 42}

        assert _with(open_executor, lambda executor: executor.submit(call)) == {"answer": 42}

    def test_a_call_is_made_once(self, open_executor: OpenExecutor) -> None:
        """A call costs money: trying again is the caller's business."""
        made: list[int] = []

        async def call() -> None:
            made.append(1)

        _with(open_executor, lambda executor: executor.submit(call))
        assert made == [1]

    def test_what_a_call_raises_is_raised(self, open_executor: OpenExecutor) -> None:
        """With its type and all that it carries."""

        async def call() -> None:
            raise ProposerError("no idea", hint="ask again", retryable=True)

        async def scene(executor: Executor) -> ProposerError:
            with pytest.raises(ProposerError) as caught:
                await executor.submit(call)
            return caught.value

        error = _with(open_executor, scene)
        assert (error.message, error.hint, error.retryable) == ("no idea", "ask again", True)

    def test_a_failed_call_harms_no_other(self, open_executor: OpenExecutor) -> None:
        """Those that are under way and those that come later get their answers."""

        async def fail() -> int:
            raise ValueError("this one fails")

        async def work() -> int:
            await asyncio.sleep(0)
            return 1

        async def scene(executor: Executor) -> list[Any]:
            calls = [executor.submit(call) for call in (work, fail, work)]
            first = await asyncio.gather(*calls, return_exceptions=True)
            return [type(each) for each in first] + [await executor.submit(work)]

        assert _with(open_executor, scene) == [int, ValueError, int, 1]

    def test_many_calls_all_get_their_own_answers(self, open_executor: OpenExecutor) -> None:
        """However many there are, each answer goes to whoever asked."""

        async def scene(executor: Executor) -> list[int]:
            return await asyncio.gather(*(executor.submit(_giving(number)) for number in range(100)))

        assert _with(open_executor, scene) == list(range(100))

    def test_cancelling_a_submission_cancels_its_call(self, open_executor: OpenExecutor) -> None:
        """A run that is stopped pays for no call that goes on behind its back."""

        async def scene(executor: Executor) -> list[str]:
            begun, told = asyncio.Event(), []

            async def call() -> None:
                begun.set()
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    told.append("cancelled")
                    raise

            task = asyncio.create_task(executor.submit(call))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await executor.drain()
            return told

        assert _with(open_executor, scene) == ["cancelled"]

    def test_draining_waits_for_what_is_under_way(self, open_executor: OpenExecutor) -> None:
        """When it returns, every call that was submitted before has ended."""

        async def scene(executor: Executor) -> bool:
            begun, go_on, done = asyncio.Event(), asyncio.Event(), []

            async def call() -> None:
                begun.set()
                await go_on.wait()
                done.append(1)

            task = asyncio.create_task(executor.submit(call))
            await begun.wait()
            drained = asyncio.create_task(executor.drain())
            await asyncio.sleep(0)
            early = drained.done()
            go_on.set()
            await drained
            was_done = bool(done)
            await task
            return was_done and not early

        assert _with(open_executor, scene)

    def test_draining_an_idle_one_is_fine(self, open_executor: OpenExecutor) -> None:
        """There is nothing to wait for."""
        _with(open_executor, lambda executor: executor.drain())

    def test_closing_stops_what_is_under_way(self, open_executor: OpenExecutor) -> None:
        """Within a bound, even if a call would never end; whoever waits for it is told."""

        async def scene(executor: Executor) -> bool:
            begun = asyncio.Event()

            async def call() -> None:
                begun.set()
                await asyncio.Event().wait()

            task = asyncio.create_task(executor.submit(call))
            await begun.wait()
            await executor.close()
            await asyncio.wait({task})
            return task.cancelled() or task.exception() is not None

        assert _with(open_executor, scene)

    def test_closing_may_be_repeated_and_ends_the_use(self, open_executor: OpenExecutor) -> None:
        """A call that comes too late is refused with words."""

        async def scene(executor: Executor) -> None:
            await executor.submit(_giving(1))
            await executor.close()
            await executor.close()
            with pytest.raises(GepaError, match="closed"):
                await executor.submit(_giving(2))

        _with(open_executor, scene)

    def test_closing_one_that_was_never_used_is_fine(self, open_executor: OpenExecutor) -> None:
        """A run may fail before its first call."""
        _with(open_executor, lambda executor: executor.close())

    def test_closing_leaves_nothing_running(self, open_executor: OpenExecutor) -> None:
        """No thread, connection or process outlives it."""
        before = Traces.now()
        _with(open_executor, lambda executor: executor.submit(_giving(1)))
        assert before.left_since() == {}


class ConcurrentExecutorContract(ExecutorContract):
    """Tests of an executor that runs several calls at once: it declares `Capability.CONCURRENT`."""

    capability: ClassVar[Capability | None] = Capability.CONCURRENT

    def test_calls_are_under_way_at_once(self, open_executor: OpenExecutor, context: BuildContext) -> None:
        """As many as the context allows: each waits here until all of them have begun."""

        async def scene(executor: Executor) -> None:
            together = asyncio.Barrier(context.concurrency)

            async def call() -> None:
                await together.wait()

            await asyncio.gather(*(executor.submit(call) for _ in range(context.concurrency)))

        _with(open_executor, scene)


def _giving(number: int) -> Callable[[], Coroutine[Any, Any, int]]:
    async def call() -> int:
        await asyncio.sleep(0)
        return number

    return call
