from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import attrs
import pytest

from gepa_framework.engine import Describe, ProposalFailure, Status
from gepa_framework.errors import TransportError
from gepa_framework.runtime import CallLimits, Pace, RetryPolicy
from gepa_framework.runtime.aimd import Aimd, AimdRule
from gepa_framework.runtime.gate import Gate
from gepa_framework.runtime.heartbeat import Heartbeat, waiting_words
from gepa_framework.runtime.limits import Watch
from gepa_framework.testing.clock import VirtualClock
from gepa_framework.types import FailureKind, RolloutFailure, Stage

BUSY = RolloutFailure(FailureKind.CONTAINER, "busy", "come back", retryable=True)


async def hang(*_):
    await asyncio.Event().wait()


async def shrug(*_):
    """Never end, not even when asked to."""
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


class Proposer:
    def __init__(self, propose):
        self.propose = propose


@pytest.fixture
def limited(kit):
    """Give a performer whose calls are limited."""

    def limited(transport=None, proposer=None, seconds=0.02):
        made = kit.performer(transport, proposer)
        world = attrs.evolve(made._world, limits=CallLimits(seconds, seconds, grace=0.02))
        return type(made)(world, made.cache, made._requests)

    return limited


def perform(performer, command):
    async def main():
        return await performer.perform(command, again=False)

    return asyncio.run(asyncio.wait_for(main(), 10))


def test_a_rollout_that_never_ends_is_one_that_failed_and_is_not_tried_again(kit, limited):
    transport = kit.Transport(hang)
    outcome = perform(limited(transport), kit.rollout()).outcome
    assert (outcome.kind, outcome.code, outcome.retryable) == (FailureKind.TIMEOUT, "no_answer", False)
    assert outcome.message == "the transport has not answered within 0.02 s and was stopped"
    assert (len(transport.requests), len(transport.cancelled)) == (1, 1)


def test_a_proposal_that_never_ends_is_one_that_failed(kit, limited):
    outcome = perform(limited(proposer=Proposer(hang)), kit.propose()).outcome
    assert isinstance(outcome, ProposalFailure)
    assert (outcome.code, "0.02 s (gepa.call_timeout_seconds)" in outcome.message) == ("no_answer", True)


def test_a_set_up_call_that_never_ends_is_an_error(kit, limited):
    transport = kit.Transport()
    transport.describe = hang
    with pytest.raises(TransportError, match=r"has not answered within 0.02 s; .*call_timeout_seconds"):
        perform(limited(transport), Describe("d"))


def test_a_preflight_that_never_ends_is_an_error(kit, limited):
    transport = kit.Transport()
    transport.preflight = hang
    with pytest.raises(TransportError, match="the transport has not answered"):
        asyncio.run(asyncio.wait_for(limited(transport).preflight(), 10))


def test_an_answer_that_comes_although_the_call_was_stopped_is_an_answer(kit, limited):
    async def late(_request):
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    async def main():
        done = await limited(kit.Transport(late)).perform(kit.rollout(), again=False)
        return done, asyncio.current_task().cancelling()

    done, cancelling = asyncio.run(main())
    assert (done.outcome.reward, cancelling) == (0.0, 0)


def test_a_call_that_is_stopped_by_us_too_is_stopped(kit, limited):
    async def main():
        reached = asyncio.Event()

        async def slow(_request):
            try:
                await asyncio.Event().wait()
            finally:
                reached.set()
                task.cancel()

        performer = limited(kit.Transport(slow))
        task = asyncio.create_task(performer.perform(kit.rollout(), again=False))
        await reached.wait()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(main(), 10))


def test_calls_are_looked_at_in_the_order_of_their_deadlines():
    stopped = []

    async def call(watch, name, seconds):
        watched = watch.begin(seconds)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stopped.append(name)
        finally:
            watch.end(watched)

    async def main():
        watch = Watch(1.0)
        await asyncio.gather(*(call(watch, n, s) for n, s in (("c", 0.06), ("a", 0.01), ("b", 0.03))))

    asyncio.run(asyncio.wait_for(main(), 10))
    assert stopped == ["a", "b", "c"]


@pytest.fixture
def bounded(kit, stand, monkeypatch):
    """Give a run whose calls are limited, and that does not wait for what cannot be stopped."""
    monkeypatch.setattr("gepa_framework.runtime.crew._FAREWELL_SECONDS", 0.01)
    attach = kit.performer.__globals__["Performer"]

    def make(world, cache, requests):
        limits = CallLimits(0.03, 0.03, grace=0.02)
        return attach(attrs.evolve(world, limits=limits), cache, requests)

    monkeypatch.setitem(kit.performer.__globals__, "Performer", make)
    return stand


def test_a_run_goes_on_without_a_rollout_that_cannot_be_stopped(kit, bounded, caplog):
    def answer(request):
        if request.row.id == "train:3" and request.stage is Stage.SEED:
            return BUSY if len([r for r in run.transport.requests if r.row.id == "train:3"]) == 1 else shrug()
        return None

    run = bounded(
        transport=kit.Transport(answer), pace=Pace(rollouts=1), options={"retry": RetryPolicy(3, 0.0)}
    )
    run.go()
    assert run.machine.status is Status.FINISHED
    (failed,) = [event.body for event in run.recorder.events if event.type == "rollout.failed"]
    assert (failed.row_id, failed.code) == ("train:3", "no_answer")
    assert run.machine.run.ledger.superseded_attempts == 1
    assert "does not end although it was stopped" in caplog.text
    run.transport = kit.Transport()
    assert run.go().machine.status is Status.FINISHED, "and it replays"


def narrow(width):
    return Gate(Aimd(AimdRule(width, width, width)))


def test_a_run_goes_on_though_every_place_behind_the_gate_is_held_by_what_cannot_be_stopped(kit, bounded):
    gate = narrow(2)
    transport = kit.Transport(lambda _: shrug() if len(transport.requests) <= 2 else None)
    run = bounded(transport=transport, pace=Pace(rollouts=2), options={"gate": gate})

    async def impatient(run):
        await asyncio.sleep(5)
        run.driver.interrupt()

    run.go(impatient)
    assert run.machine.status is Status.FINISHED
    codes = [event.body.code for event in run.recorder.events if event.type == "rollout.failed"]
    assert codes == ["no_answer"] * 2
    assert gate._inside == 0


@pytest.mark.parametrize("late", [BUSY, None], ids=["refused", "answered"])
def test_what_comes_too_late_gives_no_place_back_twice_and_is_not_tried_again(kit, late):
    reached, let = asyncio.Event(), asyncio.Event()

    async def answer(_):
        reached.set()
        await let.wait()
        return late

    async def main():
        gate, transport = narrow(1), kit.Transport(answer)
        performer = kit.performer(transport, gate=gate)
        task = asyncio.create_task(performer.perform(kit.rollout(), again=False))
        await reached.wait()
        for _ in range(2):
            performer.lose(kit.rollout())
            assert gate._inside == 0
        performer.lose(kit.propose())
        let.set()
        done, _ = await asyncio.wait([task], timeout=10)
        assert done
        assert task.cancelled() is (late is BUSY)
        assert gate._inside == 0
        assert len(transport.requests) == 1

    asyncio.run(main())


def test_a_place_that_was_lost_is_not_mistaken_for_that_of_the_same_rollout_asked_anew(kit):
    lets = [asyncio.Event(), asyncio.Event()]

    async def answer(_):
        await lets[len(transport.requests) - 1].wait()

    transport = kit.Transport(answer)

    async def main():
        gate = narrow(1)
        performer = kit.performer(transport, gate=gate)
        tasks = []
        for number in (1, 2):
            tasks.append(asyncio.create_task(performer.perform(kit.rollout(), again=False)))
            async with asyncio.timeout(10):
                while len(transport.requests) < number:  # noqa: ASYNC110 - a number
                    await asyncio.sleep(0)
            if number == 1:
                performer.lose(kit.rollout())
        lets[0].set()
        await tasks[0]
        assert gate._inside == 1
        lets[1].set()
        await tasks[1]
        assert gate._inside == 0

    asyncio.run(main())


def test_a_run_goes_on_without_a_proposal_that_cannot_be_stopped(bounded):
    run = bounded(proposer=Proposer(shrug))
    run.go()
    codes = {event.body.code for event in run.recorder.events if event.type == "proposer.failed"}
    assert (run.machine.status, codes) == (Status.FINISHED, {"no_answer"})


def test_a_run_ends_where_a_set_up_call_cannot_be_stopped(kit, bounded):
    transport = kit.Transport()
    transport.program = shrug
    run = bounded(transport=transport)
    with pytest.raises(TransportError, match="the transport has not answered"):
        run.go()
    assert run.effects == ["container/metadata"]


def test_silence_is_told_of_less_and_less_often(caplog):
    clock = VirtualClock()
    heartbeat = Heartbeat(120.0, lambda: "the world")

    async def scene():
        watching = asyncio.create_task(heartbeat.watch())
        await asyncio.sleep(1000)
        heartbeat.beat()
        await asyncio.sleep(250)
        watching.cancel()

    clock.run(scene())
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        f"nothing has come in for {seconds} s: waiting for the world"
        for seconds in (120, 240, 480, 960, 120, 240)
    ]


def test_silence_leaves_no_trace_on_record(kit, stand, caplog):
    def told():
        # A slow machine may be silent while the run is set up, too.
        return [text for text in map(logging.LogRecord.getMessage, caplog.records) if "rollouts (" in text]

    async def slow(request):
        while request.stage is Stage.SEED and len(told()) < 2:  # noqa: ASYNC110 - a number
            await asyncio.sleep(0.001)

    run = stand(transport=kit.Transport(slow), pace=Pace(quiet_seconds=0.02, rollouts=2)).go()
    assert "s: waiting for 6 rollouts (rollout/0/seed_full_train/" in told()[0]
    assert run.feed == stand().go().feed


def test_what_a_run_waits_for_is_told_by_its_sort(kit):
    commands = [kit.propose(), kit.rollout(), kit.rollout(), Describe("d")]
    words = f"1 proposal (proposal/1), 2 rollouts ({kit.rollout().effect_id}), 1 set-up call (d)"
    assert waiting_words(commands) == words
    assert waiting_words([]) == "nothing"
