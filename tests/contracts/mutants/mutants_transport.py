from __future__ import annotations

import asyncio
import itertools
import threading
from types import SimpleNamespace

import attrs
import pytest
from mutating import mutants, plugin_of

from gepa_framework.errors import GepaError, TransportError
from gepa_framework.testing.contracts import ConcurrentTransportContract
from gepa_framework.testing.fakes import FakeTransport
from gepa_framework.types import Capability, Kind, RolloutFailure, RowsRequest, Stage, Usage


class Honest(FakeTransport):
    closed = False

    def __init__(self, context):
        super().__init__()

    def open(self):
        if self.closed:
            raise TransportError("the transport is closed")

    async def preflight(self):
        pass

    async def rows(self, request):
        self.open()
        return await super().rows(request)

    async def rollout(self, request):
        self.open()
        await asyncio.sleep(0)
        return await super().rollout(request)

    async def close(self):
        self.closed = True


class TestHonest(ConcurrentTransportContract):
    made = Honest

    @pytest.fixture
    def plugin(self):
        return plugin_of(Kind.TRANSPORT, self.made, Capability.CONCURRENT)

    @pytest.fixture
    def wanted_rows(self):
        return RowsRequest("train", seeds=(1, 2, 3))


def giving(method, change):
    """Make an honest transport one of whose answers is changed."""

    async def changed(self, *arguments):
        return change(await getattr(Honest, method)(self, *arguments))

    return type("Changed", (Honest,), {method: changed})


class IsNameless(giving("describe", lambda info: attrs.evolve(info, name=""))): ...


class CountsItsCallers(Honest):
    calls = itertools.count()

    async def describe(self):
        return attrs.evolve(await super().describe(), raw={"call": next(self.calls)})


class AimsAtNothing(giving("program", lambda program: attrs.evolve(program, targets=()))): ...


class AimsAtAnother(giving("program", lambda program: attrs.evolve(program, targets=("other",)))): ...


class LacksASeed(giving("program", lambda program: attrs.evolve(program, seed={}))): ...


class LosesARow(giving("rows", lambda rows: rows[1:])): ...


class GivesARowTwice(giving("rows", lambda rows: [rows[0], rows[0], *rows[2:]])): ...


class SortsRows(giving("rows", lambda rows: sorted(rows, key=lambda row: row.id))): ...


class MistakesTheSplit(giving("rows", lambda rows: [attrs.evolve(row, split="test") for row in rows])): ...


class PutsObjectsIntoRows(
    giving("rows", lambda rows: [attrs.evolve(row, data={**row.data, "at": {1, 2}}) for row in rows])
): ...


class FailsAlways(
    giving("rollout", lambda _: RolloutFailure(kind="container", code="oom", message="out of memory"))
): ...


class GivesObjects(giving("rollout", lambda result: attrs.evolve(result, output={"at": {1, 2}}))): ...


class OwesTokens(giving("rollout", lambda result: attrs.evolve(result, usage=Usage(total_tokens=-1)))): ...


class FavoursASeed(Honest):
    async def rollout(self, request):
        result = await super().rollout(request)
        return attrs.evolve(result, reward=1.0) if request.stage is Stage.HELDOUT else result


class WantsToBeDescribedFirst(Honest):
    known = False

    async def program(self):
        self.known = True
        return await super().program()

    async def rollout(self, request):
        if not self.known:
            raise TransportError("who are you?")
        return await super().rollout(request)


class KnowsOnlyWhatItRan(Honest):
    async def rollout(self, request):
        if request.poll_first and request.rollout_id not in self.asked:
            return RolloutFailure(kind="contract", code="http_404", message="not found")
        return await super().rollout(request)


class WritesIntoTheRow(Honest):
    async def rollout(self, request):
        request.row.data["notes"].append("seen")
        return await super().rollout(request)

    async def rows(self, request):
        return [attrs.evolve(row, data={**row.data, "notes": []}) for row in await super().rows(request)]


class StaysBusyWhenCancelled(Honest):
    busy = False

    async def rollout(self, request):
        if self.busy:
            raise TransportError("busy")
        self.busy = True
        result = await super().rollout(request)
        self.busy = False
        return result


class SeesTrouble(Honest):
    async def preflight(self):
        raise GepaError("no container")


class AnswersWhenClosed(Honest):
    def open(self):
        pass


class ClosesOnce(Honest):
    async def close(self):
        self.open()
        self.closed = True


class ClosesWhatWasUsed(Honest):
    used = False

    def open(self):
        super().open()
        self.used = True

    async def program(self):
        self.used = True
        return await super().program()

    async def describe(self):
        self.used = True
        return await super().describe()

    async def close(self):
        if not self.used:
            raise AttributeError("client")
        await super().close()


class LeavesATask(Honest):
    async def rollout(self, request):
        self.task = asyncio.create_task(asyncio.Event().wait())
        return await super().rollout(request)


class LeavesAThread(Honest):
    over = threading.Event()

    async def rollout(self, request):
        threading.Thread(target=self.over.wait, args=(3,), daemon=True).start()
        return await super().rollout(request)


class RollsOutOneByOne(Honest):
    under_way = 0

    async def rollout(self, request):
        self.under_way += 1
        try:
            if self.under_way > 1:
                raise TransportError("one by one, please")
            return await super().rollout(request)
        finally:
            self.under_way -= 1


class FallsTogether(Honest):
    cancelled = False

    async def rollout(self, request):
        try:
            for _ in range(3):
                result = await super().rollout(request)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self.cancelled and request.rollout_id != "rollout-2":
            raise TransportError("another one was cancelled")
        return result


class DescribesWithATable(Honest):
    async def describe(self):
        return SimpleNamespace(name="n", contract="c", raw={})


globals().update(
    mutants(
        TestHonest,
        {
            "test_the_container_is_described": [IsNameless, CountsItsCallers, DescribesWithATable],
            "test_the_targets_of_a_program_are_components": [AimsAtNothing, AimsAtAnother],
            "test_a_program_has_a_text_for_each_component": [LacksASeed],
            "test_rows_are_as_many_as_asked_for": [LosesARow],
            "test_rows_have_names_of_their_own": [GivesARowTwice],
            "test_rows_come_in_the_order_asked_for": [SortsRows],
            "test_rows_are_of_the_split_asked_for": [MistakesTheSplit],
            "test_rows_are_json": [PutsObjectsIntoRows],
            "test_a_rollout_is_scored": [FailsAlways],
            "test_an_outcome_can_be_written_down": [GivesObjects],
            "test_the_usage_of_a_rollout_is_a_usage": [OwesTokens],
            "test_the_stage_is_no_part_of_what_is_asked": [FavoursASeed],
            "test_a_rollout_may_be_the_first_call": [WantsToBeDescribedFirst],
            "test_a_rollout_that_was_never_submitted_may_be_asked_for": [KnowsOnlyWhatItRan],
            "test_the_request_is_left_as_it_was": [WritesIntoTheRow],
            "test_a_cancelled_rollout_ends_and_harms_no_other": [StaysBusyWhenCancelled],
            "test_it_looks_before_it_is_needed": [SeesTrouble],
            "test_closing_may_be_repeated_and_ends_the_use": [AnswersWhenClosed, ClosesOnce],
            "test_closing_one_that_was_never_used_is_fine": [ClosesWhatWasUsed],
            "test_closing_leaves_nothing_running": [LeavesATask, LeavesAThread],
            "test_several_at_once_all_get_an_outcome": [RollsOutOneByOne],
            "test_one_that_is_cancelled_leaves_the_others": [FallsTogether],
        },
    )
)
