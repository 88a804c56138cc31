from __future__ import annotations

import asyncio
import itertools
import logging
import threading
from types import SimpleNamespace

import attrs
import pytest
from mutating import mutants, plugin_of

from gepa_framework.errors import GepaError, ProposerError
from gepa_framework.testing.contracts import (
    ConcurrentProposerContract,
    DeterministicProposerContract,
    FailingProposerContract,
)
from gepa_framework.testing.samples import sample_request
from gepa_framework.types import FREE, Capability, Edit, Kind, Proposal, Usage


class Honest:
    def __init__(self, context):
        self.context = context

    async def propose(self, request):
        await asyncio.sleep(0)
        return Proposal({"system": f"Answer {request.seed}."}, "it is better", FREE)

    async def preflight(self):
        pass

    async def close(self):
        pass


class HonestFailure(Honest):
    async def propose(self, request):
        raise ProposerError("nothing comes to mind", usage=Usage(prompt_tokens=5))


class TestHonest(ConcurrentProposerContract, DeterministicProposerContract):
    made = Honest

    @pytest.fixture
    def plugin(self):
        return plugin_of(Kind.PROPOSER, self.made, Capability.CONCURRENT, Capability.DETERMINISTIC)

    @pytest.fixture
    def proposal_request(self):
        return sample_request()


class TestHonestFailure(FailingProposerContract):
    made = HonestFailure

    @pytest.fixture
    def plugin(self):
        return plugin_of(Kind.PROPOSER, self.made)

    @pytest.fixture
    def proposal_request(self):
        return sample_request()


def saying(**changes):
    """Make an honest proposer whose proposal differs in these fields."""

    class Changed(Honest):
        async def propose(self, request):
            return attrs.evolve(await super().propose(request), **changes)

    return Changed


class AnswersWithATable(Honest):
    async def propose(self, request):
        return SimpleNamespace(**{name: {} for name in ("components", "edits", "metadata")}, usage=FREE)


class ProposesTheParent(Honest):
    async def propose(self, request):
        return Proposal(request.parent.components, "as it was", FREE)


class NamesAnother(saying(components={"other": "x"})): ...


class WritesAndEdits(saying(edits={"system": (Edit("Answer", "Say"),)})): ...


class WritesHalfACharacter(saying(components={"system": "caf\udce9"})): ...


class EditsWhatIsNotThere(saying(components={}, edits={"style": (Edit("long", "short"),)})): ...


class EditsTwice(saying(components={}, edits={"style": (Edit("e", "a"),)})): ...


class SaysNothing(saying(rationale=" ")): ...


class OwesTokens(saying(usage=Usage(total_tokens=-1))): ...


class CostsWhoKnowsWhat(saying(usage=Usage(cost_usd=float("nan")))): ...


class RecordsAnObject(saying(metadata={"at": object()})): ...


class WritesIntoTheRequest(Honest):
    async def propose(self, request):
        request.evidence[0].inputs["query"].append("seen")
        return await super().propose(request)


class LogsItsKey(Honest):
    async def propose(self, request):
        logging.getLogger("mine").debug("key %s", self.context.environ["OPENAI_API_KEY"])
        return await super().propose(request)


class WritesItsKey(Honest):
    async def propose(self, request):
        return Proposal({"system": f"key: {self.context.environ['OPENAI_API_KEY']}"}, "why", FREE)


class AnswersOnce(Honest):
    answered = False

    async def propose(self, request):
        if self.answered:
            raise ProposerError("once is enough")
        self.answered = True
        return await super().propose(request)


class StaysBusyWhenCancelled(Honest):
    busy = False

    async def propose(self, request):
        if self.busy:
            raise ProposerError("busy")
        self.busy = True
        answer = await super().propose(request)
        self.busy = False
        return answer


class SeesTrouble(Honest):
    async def preflight(self):
        raise GepaError("no program")


class ClosesOnce(Honest):
    closed = False

    async def close(self):
        if self.closed:
            raise GepaError("closed twice")
        self.closed = True


class ClosesWhatWasUsed(Honest):
    used = False

    async def propose(self, request):
        self.used = True
        return await super().propose(request)

    async def close(self):
        if not self.used:
            raise AttributeError("process")


class LeavesATask(Honest):
    async def propose(self, request):
        self.task = asyncio.create_task(asyncio.Event().wait())
        return await super().propose(request)


class LeavesAThread(Honest):
    over = threading.Event()

    async def propose(self, request):
        threading.Thread(target=self.over.wait, args=(3,), daemon=True).start()
        return await super().propose(request)


class MayBeAskedOneByOne(Honest):
    under_way = 0

    async def propose(self, request):
        self.under_way += 1
        try:
            if self.under_way > 1:
                raise ProposerError("one by one, please")
            return await super().propose(request)
        finally:
            self.under_way -= 1


class FallsTogether(Honest):
    cancelled = False

    async def propose(self, request):
        try:
            for _ in range(3):
                answer = await super().propose(request)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self.cancelled and request.proposal_id != "proposal-1":
            raise ProposerError("another one was cancelled")
        return answer


class DrawsLots(Honest):
    lots = itertools.count()

    async def propose(self, request):
        return Proposal({"system": f"{next(self.lots)}"}, "why not", FREE)


class Remembers(Honest):
    last = None

    async def propose(self, request):
        self.last, last = request.seed, self.last
        return Proposal({"system": f"after {last}"}, "it follows", FREE)


class RaisesAnything(Honest):
    async def propose(self, request):
        raise ValueError("oops")


class FailsWithoutAWord(Honest):
    async def propose(self, request):
        raise ProposerError(" ")


class FailsForADictionary(Honest):
    async def propose(self, request):
        raise ProposerError("failed", usage={"total_tokens": 3})


class FailsAtANegativePrice(Honest):
    async def propose(self, request):
        raise ProposerError("failed", usage=Usage(cost_usd=-1.0))


class FailsWithItsKey(Honest):
    async def propose(self, request):
        raise ProposerError(f"401 for {self.context.environ['OPENAI_API_KEY']}")


class FailsWithItsKeyBehind(Honest):
    async def propose(self, request):
        raise ProposerError("401") from ValueError(self.context.environ["OPENAI_API_KEY"])


class FailsAndLeavesATask(HonestFailure):
    async def propose(self, request):
        self.task = asyncio.create_task(asyncio.Event().wait())
        return await super().propose(request)


class TestWritesIntoTheRequest(TestHonest):
    made = WritesIntoTheRequest
    caught_by = "test_the_request_is_left_as_it_was"

    @pytest.fixture
    def proposal_request(self):
        request = sample_request()
        frame = attrs.evolve(request.evidence[0], inputs={"query": []})
        return attrs.evolve(request, evidence=(frame,))


globals().update(
    mutants(
        TestHonest,
        {
            "test_it_answers_with_a_proposal": [AnswersWithATable],
            "test_it_changes_something": [ProposesTheParent],
            "test_it_changes_only_what_it_may": [NamesAnother],
            "test_a_component_is_written_or_edited": [WritesAndEdits],
            "test_its_texts_are_texts": [WritesHalfACharacter],
            "test_its_edits_find_their_piece_once": [EditsWhatIsNotThere, EditsTwice],
            "test_it_says_why": [SaysNothing],
            "test_its_usage_is_a_usage": [OwesTokens, CostsWhoKnowsWhat],
            "test_what_belongs_on_the_record_is_json": [RecordsAnObject],
            "test_secrets_stay_where_they_are": [LogsItsKey, WritesItsKey],
            "test_it_can_be_asked_again": [AnswersOnce],
            "test_a_cancelled_call_ends_and_harms_no_other": [StaysBusyWhenCancelled],
            "test_it_looks_before_it_is_needed": [SeesTrouble],
            "test_closing_may_be_repeated": [ClosesOnce],
            "test_closing_one_that_was_never_used_is_fine": [ClosesWhatWasUsed],
            "test_closing_leaves_nothing_running": [LeavesATask, LeavesAThread],
            "test_several_at_once_are_all_answered": [MayBeAskedOneByOne],
            "test_one_that_is_cancelled_leaves_the_others": [FallsTogether],
            "test_equal_requests_get_equal_answers": [DrawsLots],
            "test_what_was_asked_before_does_not_count": [Remembers],
        },
    )
)
globals().update(
    mutants(
        TestHonestFailure,
        {
            "test_a_failure_is_a_proposer_error": [RaisesAnything, FailsWithoutAWord],
            "test_a_failure_says_what_it_cost": [FailsForADictionary, FailsAtANegativePrice],
            "test_a_failure_holds_no_secret": [FailsWithItsKey, FailsWithItsKeyBehind],
            "test_a_failure_leaves_nothing_running": [FailsAndLeavesATask],
        },
    )
)
