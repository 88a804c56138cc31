from __future__ import annotations

import asyncio

import attrs
import pytest

from gepa_framework.engine import Machine, Propose, Status
from gepa_framework.errors import InterruptedRunError
from gepa_framework.runtime import Pace
from gepa_framework.testing.fakes import FakeProposer
from gepa_framework.types import StopReason


def hanging(reached, *, after=0):
    """Answer some rollouts at once, and never the others."""
    asked = []

    def answer(request):
        asked.append(request.rollout_id)
        if len(asked) <= after:
            return None
        reached.set()
        return asyncio.Event().wait()

    return answer


def test_an_interrupt_leaves_a_journal_that_can_be_gone_on_with(kit, stand):
    whole = stand().go()
    for after in (0, 3, 6, 9, 20):
        reached = asyncio.Event()
        run = stand(transport=kit.Transport(hanging(reached, after=after)), pace=Pace(grace_seconds=0.01))

        async def interrupt(run, reached=reached):
            await reached.wait()
            run.driver.interrupt()

        with pytest.raises(InterruptedRunError):
            run.go(interrupt)
        assert run.transport.under_way == 0
        journalled = len([name for name in run.effects if name.startswith("rollout")])
        assert journalled == after
        run.transport = kit.Transport()
        assert run.go().feed == whole.feed
        assert len(run.transport.requests) == len(whole.transport.requests) - after


def test_what_is_under_way_at_an_interrupt_may_finish(kit, stand):
    reached, gate = asyncio.Event(), asyncio.Event()

    def answer(request):
        reached.set()
        return gate.wait() if len(run.transport.requests) <= 2 else None

    run = stand(transport=kit.Transport(lambda request: wait(answer(request))), pace=Pace(rollouts=2))

    async def wait(given):
        if given is not None:
            await given

    async def interrupt(run):
        await reached.wait()
        run.driver.interrupt()
        asyncio.get_running_loop().call_later(0.01, gate.set)

    with pytest.raises(InterruptedRunError):
        run.go(interrupt)
    assert len(run.transport.requests) == 2
    assert len([name for name in run.effects if name.startswith("rollout")]) == 2


def test_an_interrupt_before_anything_was_asked_is_an_interrupt(stand):
    run = stand()

    async def interrupt(run):
        run.driver.interrupt()

    with pytest.raises(InterruptedRunError):
        run.go(interrupt)
    assert run.go().machine.status is Status.FINISHED


def test_a_cancel_is_on_record_and_ends_the_run_for_good(kit, stand):
    reached = asyncio.Event()
    run = stand(transport=kit.Transport(hanging(reached, after=2)))

    async def cancel(run):
        await reached.wait()
        run.driver.cancel("enough")

    run.go(cancel)
    assert run.machine.status is Status.CANCELLED
    assert len(run.transport.cancelled) == 4
    assert run.types[-1] == "gepa.run.cancelled"
    again = run.go()
    assert again.machine.status is Status.CANCELLED
    assert len(run.transport.requests) == 6


@attrs.frozen
class Stuck:
    """Stops once so many rollouts are in: a number that only a tick in mid iteration can find."""

    rollouts: int

    def check(self, view):
        return StopReason("stuck") if view.rollouts >= self.rollouts else None


@pytest.fixture
def stuck(kit, stand):
    """Give a run of which the first full evaluation hangs, and a stopper that ends it there."""
    whole = stand().go()
    stages = [event.body.stage for event in whole.recorder.events if event.type == "rollout.completed"]
    stopper = Stuck(stages.index("candidate_full_train"))

    def stuck(rollouts=8):
        transport = kit.Transport(lambda request: asyncio.Event().wait() if hangs(request) else None)
        pace = Pace(tick_seconds=0.005, rollouts=rollouts)
        return stand(transport=transport, stoppers=(stopper,), pace=pace).go()

    return stuck


def hangs(request):
    return request.stage.value == "candidate_full_train"


def hung(run):
    """Count the rollouts that hung: how many had begun when the tick came is a matter of luck."""
    return sum(hangs(request) for request in run.transport.requests)


def test_time_is_told_while_everything_hangs(stuck):
    run = stuck()
    assert run.machine.status is Status.FINISHED
    assert [event.body.kind for event in run.recorder.events if event.type == "gepa.stop"] == ["stuck"]
    assert any(type(entry.given).__name__ == "Tick" for entry in run.stored())
    assert len(run.transport.cancelled) == hung(run) <= 6


def test_what_is_no_longer_wanted_makes_room_for_what_is(stuck):
    run = stuck(rollouts=1)
    assert run.machine.status is Status.FINISHED
    assert len(run.transport.cancelled) == hung(run) <= 1
    assert [request.row.split for request in run.transport.requests][-2:] == ["heldout"] * 2


def test_ticks_replay(stuck):
    run = stuck()
    feed, asked = run.feed, len(run.transport.requests)
    assert run.go().feed == feed
    assert len(run.transport.requests) == asked


def test_nobody_is_told_the_time_unless_it_is_asked_for(stand):
    assert {type(entry.given).__name__ for entry in stand().go().stored()[1:]} == {"Completed"}


def test_time_worked_on_a_run_never_goes_back(kit, stand):
    reached = asyncio.Event()
    run = stand(transport=kit.Transport(hanging(reached, after=8)), pace=Pace(grace_seconds=0.0))

    async def interrupt(run):
        await reached.wait()
        run.driver.interrupt()

    with pytest.raises(InterruptedRunError):
        run.go(interrupt)
    before = run.stored()[-1].elapsed_us
    run.transport = kit.Transport()
    run.go()
    times = [entry.elapsed_us for entry in run.stored()]
    assert times == sorted(times)
    assert run.machine.run.elapsed * 1e6 >= before


def test_what_was_under_way_is_asked_for_by_its_id_first_when_a_run_goes_on(kit, stand):
    reached = asyncio.Event()
    run = stand(transport=kit.Transport(hanging(reached, after=2)), pace=Pace(grace_seconds=0.0))

    async def interrupt(run):
        await reached.wait()
        run.driver.interrupt()

    with pytest.raises(InterruptedRunError):
        run.go(interrupt)
    first = run.transport
    assert not any(request.poll_first for request in first.requests)
    run.transport = kit.Transport()
    run.go()
    polled = [request.rollout_id for request in run.transport.requests if request.poll_first]
    assert polled == [request.rollout_id for request in first.requests[2:6]]


def test_what_was_under_way_when_the_search_was_stopped_is_on_record(stuck):
    run = stuck()
    told = [event.body for event in run.recorder.events if event.type == "work.abandoned"]
    assert [(body.rollouts, body.proposals) for body in told] == [(hung(run), 0)] * bool(hung(run))
    books = run.machine.run.ledger
    assert (books.abandoned_rollouts, books.cost_usd is None) == (hung(run), bool(hung(run)))
    assert run.go().machine.run.ledger == books, "and a replay finds it there"


def test_what_waits_for_a_place_was_not_paid_for(stuck):
    run = stuck(rollouts=1)
    told = [event.body for event in run.recorder.events if event.type == "work.abandoned"]
    assert sum(body.rollouts for body in told) == hung(run) <= 1


def test_what_is_under_way_at_a_cancel_is_on_record(kit, stand):
    reached = asyncio.Event()
    run = stand(transport=kit.Transport(hanging(reached, after=2)), pace=Pace(rollouts=3))

    async def cancel(run):
        await reached.wait()
        await until(lambda: run.transport.under_way == 3)
        run.driver.cancel("enough")

    run.go(cancel)
    assert run.types[-2:] == ["work.abandoned", "gepa.run.cancelled"]
    cancelled = run.stored()[-1].given
    assert len(cancelled.begun) == 3
    assert run.machine.run.ledger.abandoned_rollouts == 3
    assert run.go().machine.run.ledger.abandoned_rollouts == 3


async def until(condition):
    while not condition():  # noqa: ASYNC110 - what it waits for is not an event but a number
        await asyncio.sleep(0.001)


def test_after_a_signal_nothing_more_is_begun_though_the_loop_has_not_told_of_it_yet(stand, monkeypatch):
    asked, feed = [], Machine.feed

    class Proposer(FakeProposer):
        async def propose(self, request):
            asked.append(request.proposal_id)
            return await super().propose(request)

    run = stand(proposer=Proposer())

    def signalled_at_the_first_proposal(machine, given, elapsed):
        step = feed(machine, given, elapsed)
        if any(isinstance(command, Propose) for command in step.commands):
            run.driver.signalled()
            # The loop hears of a signal two turns later.
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, run.driver.interrupt)
        return step

    monkeypatch.setattr(Machine, "feed", signalled_at_the_first_proposal)
    with pytest.raises(InterruptedRunError):
        run.go()
    assert asked == []
    monkeypatch.undo()
    assert run.go().machine.status is Status.FINISHED
