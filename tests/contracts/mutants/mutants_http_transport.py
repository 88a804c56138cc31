from __future__ import annotations

import asyncio

import attrs
import pytest
from mutating import mutants, plugin_of

from gepa_framework.errors import ContainerContractError, TransportError
from gepa_framework.testing.contracts import HttpTransportContract
from gepa_framework.types import (
    FREE,
    Candidate,
    Capability,
    FailureKind,
    Kind,
    Program,
    RolloutFailure,
    RolloutResult,
    TaskRow,
)
from gepa_synth_containers.config import SynthContainersConfig
from gepa_synth_containers.plugin import gepa_make_transport


class Honest:
    """The transport that ships, at the address that the test gives."""

    url = ""

    def __init__(self, context, **config):
        self.context = context
        config = SynthContainersConfig(**{"url": self.url, "timeout_seconds": 5.0, **config})
        self.inner = gepa_make_transport(config, context)

    async def describe(self):
        return await self.inner.describe()

    async def program(self):
        return await self.inner.program()

    async def rows(self, request):
        return await self.inner.rows(request)

    async def rollout(self, request):
        return await self.inner.rollout(request)

    async def close(self):
        await self.inner.close()


class TestHonest(HttpTransportContract):
    made = Honest

    @pytest.fixture
    def plugin(self):
        return plugin_of(Kind.TRANSPORT, self.at, Capability.CONCURRENT)

    @pytest.fixture
    def config_for(self):
        def config_for(url):
            self.url = url

        return config_for

    def at(self, context):
        return type(self.made.__name__, (self.made,), {"url": self.url})(context)


class SpeaksOneSetOfRoutes(Honest):
    async def rows(self, request):
        if "taskset" not in (await self.describe()).contract:
            raise ContainerContractError("no taskset")
        return await super().rows(request)


class TakesAnyContainer(Honest):
    async def describe(self):
        try:
            return await super().describe()
        except ContainerContractError:
            return None


class TakesAnyProgram(Honest):
    async def program(self):
        try:
            return await super().program()
        except ContainerContractError:
            return Program("p", "t", (), (), {})


class TakesAnyRows(Honest):
    async def rows(self, request):
        try:
            return await super().rows(request)
        except ContainerContractError:
            return [TaskRow(name, request.split) for name in request.ids]


class TrimsTexts(Honest):
    async def program(self):
        program = await super().program()
        return attrs.evolve(program, seed={name: text.strip() for name, text in program.seed.items()})


class SendsTrimmedTexts(Honest):
    async def rollout(self, request):
        texts = {name: text.rstrip() for name, text in request.candidate.components.items()}
        return await super().rollout(attrs.evolve(request, candidate=Candidate.of(texts)))


class RoundsRewards(Honest):
    async def rollout(self, request):
        outcome = await super().rollout(request)
        scored = isinstance(outcome, RolloutResult)
        return attrs.evolve(outcome, reward=float(round(outcome.reward))) if scored else outcome


class ScoresFailuresZero(Honest):
    async def rollout(self, request):
        outcome = await super().rollout(request)
        return outcome if isinstance(outcome, RolloutResult) else RolloutResult(0.0, usage=outcome.usage)


class RaisesFailures(Honest):
    async def rollout(self, request):
        outcome = await super().rollout(request)
        if isinstance(outcome, RolloutFailure):
            raise TransportError(outcome.message)
        return outcome


class RetriesNothing(Honest):
    async def rollout(self, request):
        outcome = await super().rollout(request)
        failed = isinstance(outcome, RolloutFailure)
        return attrs.evolve(outcome, retryable=False) if failed else outcome


class TriesAgain(Honest):
    async def rollout(self, request):
        for _ in range(3):
            outcome = await super().rollout(request)
            if isinstance(outcome, RolloutResult) or not outcome.retryable:
                break
        return outcome


class ForgetsThePause(Honest):
    async def rollout(self, request):
        outcome = await super().rollout(request)
        failed = isinstance(outcome, RolloutFailure)
        return attrs.evolve(outcome, retry_after_seconds=None) if failed else outcome


class ForgivesContracts(Honest):
    """Takes for a score of one whatever the container got wrong in a record."""

    async def rollout(self, request):
        outcome = await super().rollout(request)
        broken = isinstance(outcome, RolloutFailure) and outcome.kind is FailureKind.CONTRACT
        return RolloutResult(1.0) if broken and outcome.http_status is None else outcome


class ForgivesAnotherRecord(Honest):
    async def rollout(self, request):
        outcome = await super().rollout(request)
        wrong = isinstance(outcome, RolloutFailure) and outcome.code == "wrong_rollout"
        return RolloutResult(1.0) if wrong else outcome


class SaysThatFailuresAreFree(Honest):
    async def rollout(self, request):
        outcome = await super().rollout(request)
        return attrs.evolve(outcome, usage=FREE)


class TellsNothingOfAFailure(Honest):
    async def rollout(self, request):
        outcome = await super().rollout(request)
        failed = isinstance(outcome, RolloutFailure)
        return (
            RolloutFailure(outcome.kind, outcome.code, outcome.message, outcome.retryable)
            if failed
            else outcome
        )


class BlamesTheContainerForSilence(Honest):
    async def rollout(self, request):
        outcome = await super().rollout(request)
        silent = isinstance(outcome, RolloutFailure) and outcome.code == "connect"
        return attrs.evolve(outcome, code="http_500", kind=FailureKind.CONTAINER) if silent else outcome


class SendsItsKey(Honest):
    def __init__(self, context):
        super().__init__(context, headers={"x-key": context.environ["OPENAI_API_KEY"]})


class NeverAsksFirst(Honest):
    async def rollout(self, request):
        return await super().rollout(attrs.evolve(request, poll_first=False))


class CancelsInSilence(Honest):
    async def rollout(self, request):
        self.lost = asyncio.ensure_future(super().rollout(request))
        return await asyncio.shield(self.lost)


class WaitsForEver(Honest):
    def __init__(self, context):
        settings = {**context.settings, "rollout_async_timeout_seconds": 600.0}
        super().__init__(attrs.evolve(context, settings=settings))

    async def rollout(self, request):
        try:
            async with asyncio.timeout(2):
                return await super().rollout(request)
        except TimeoutError:
            return RolloutFailure(FailureKind.CANCELLED, "gave_up", "lost patience")


class OneByOne(Honest):
    def __init__(self, context):
        super().__init__(context)
        self.lock = asyncio.Semaphore(2)

    async def rollout(self, request):
        async with asyncio.timeout(5), self.lock:
            return await super().rollout(request)


globals().update(
    mutants(
        TestHonest,
        {
            "test_both_sets_of_routes_are_spoken": [SpeaksOneSetOfRoutes],
            "test_a_container_without_the_contract_is_refused": [TakesAnyContainer],
            "test_a_program_that_is_none_is_refused": [TakesAnyProgram],
            "test_rows_that_are_not_those_asked_for_are_refused": [TakesAnyRows],
            "test_texts_are_kept_byte_for_byte": [TrimsTexts, SendsTrimmedTexts],
            "test_a_reward_is_read": [RoundsRewards],
            "test_a_failure_is_returned_with_its_family": [
                ScoresFailuresZero,
                RaisesFailures,
                RetriesNothing,
            ],
            "test_a_rollout_is_submitted_once": [TriesAgain],
            "test_the_status_and_the_pause_of_a_refusal_are_told": [ForgetsThePause],
            "test_a_reward_that_is_not_finite_is_none": [ForgivesContracts],
            "test_the_record_of_another_rollout_is_refused": [ForgivesAnotherRecord],
            "test_what_a_failed_rollout_cost_is_told": [TellsNothingOfAFailure],
            "test_what_is_not_told_is_unknown": [SaysThatFailuresAreFree],
            "test_nobody_answering_is_a_failure_to_connect": [BlamesTheContainerForSilence],
            "test_no_credential_is_sent_with_a_rollout": [SendsItsKey],
            "test_a_rollout_that_is_known_is_not_run_again": [NeverAsksFirst],
            "test_a_cancelled_rollout_is_told_to_the_container": [CancelsInSilence],
            "test_a_rollout_that_never_ends_is_given_up": [WaitsForEver],
            "test_rollouts_are_under_way_at_once": [OneByOne],
        },
    )
)
