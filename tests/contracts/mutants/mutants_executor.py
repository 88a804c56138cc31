from __future__ import annotations

import asyncio
import threading

import pytest
from mutating import mutants, plugin_of

from gepa_framework.errors import GepaError
from gepa_framework.testing.contracts import ConcurrentExecutorContract
from gepa_framework.testing.fakes import FakeExecutor
from gepa_framework.types import Capability, Kind


class Honest(FakeExecutor):
    def __init__(self, context):
        super().__init__()


class TestHonest(ConcurrentExecutorContract):
    made = Honest

    @pytest.fixture
    def plugin(self):
        return plugin_of(Kind.EXECUTOR, self.made, Capability.CONCURRENT)


class GivesNothing(Honest):
    async def submit(self, call):
        await super().submit(call)


class TriesTwice(Honest):
    async def submit(self, call):
        await super().submit(call)
        return await super().submit(call)


class Wraps(Honest):
    async def submit(self, call):
        try:
            return await super().submit(call)
        except Exception as error:
            raise RuntimeError(str(error)) from error


class RewritesErrors(Honest):
    async def submit(self, call):
        try:
            return await super().submit(call)
        except GepaError as error:
            raise type(error)(error.message) from error


class FailsTogether(Honest):
    failed = False

    async def submit(self, call):
        if self.failed:
            raise RuntimeError("another one failed")
        try:
            return await super().submit(call)
        except Exception:
            self.failed = True
            raise


class MixesAnswersUp(Honest):
    answers: list = []  # noqa: RUF012 - that is what is wrong

    async def submit(self, call):
        self.answers.append(await super().submit(call))
        await asyncio.sleep(0)
        return self.answers[-1]


class GoesOnWhenCancelled(Honest):
    async def submit(self, call):
        return await asyncio.shield(asyncio.ensure_future(call()))


class DrainsNothing(Honest):
    async def drain(self):
        pass


class CannotDrainWhenIdle(Honest):
    async def drain(self):
        await asyncio.wait(self._under_way)


class ClosesByWaiting(Honest):
    async def close(self):
        self._closed = True
        async with asyncio.timeout(0.2):
            await self.drain()


class TakesCallsWhenClosed(Honest):
    async def submit(self, call):
        return await call()


class ClosesOnce(Honest):
    async def close(self):
        if self._closed:
            raise GepaError("closed twice")
        await super().close()


class ClosesWhatWasUsed(Honest):
    used = False

    async def submit(self, call):
        self.used = True
        return await super().submit(call)

    async def close(self):
        if not self.used:
            raise AttributeError("pool")
        await super().close()


class LeavesAThread(Honest):
    over = threading.Event()

    async def submit(self, call):
        threading.Thread(target=self.over.wait, args=(3,), daemon=True).start()
        return await super().submit(call)


class OneByOne(Honest):
    def __init__(self, context):
        super().__init__(context)
        self.lock = asyncio.Semaphore(2)

    async def submit(self, call):
        async with self.lock:
            return await super().submit(call)


globals().update(
    mutants(
        TestHonest,
        {
            "test_the_answer_of_a_call_is_given": [GivesNothing],
            "test_a_call_is_made_once": [TriesTwice],
            "test_what_a_call_raises_is_raised": [Wraps, RewritesErrors],
            "test_a_failed_call_harms_no_other": [FailsTogether],
            "test_many_calls_all_get_their_own_answers": [MixesAnswersUp],
            "test_cancelling_a_submission_cancels_its_call": [GoesOnWhenCancelled],
            "test_draining_waits_for_what_is_under_way": [DrainsNothing],
            "test_draining_an_idle_one_is_fine": [CannotDrainWhenIdle],
            "test_closing_stops_what_is_under_way": [ClosesByWaiting],
            "test_closing_may_be_repeated_and_ends_the_use": [TakesCallsWhenClosed, ClosesOnce],
            "test_closing_one_that_was_never_used_is_fine": [ClosesWhatWasUsed],
            "test_closing_leaves_nothing_running": [LeavesAThread],
            "test_calls_are_under_way_at_once": [OneByOne],
        },
    )
)
