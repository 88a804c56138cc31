from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gepa_framework.engine import Describe
from gepa_framework.runtime.lane import Lane


class Work:
    """Work that waits until it is told to end."""

    def __init__(self, *, at_once=False):
        self.began: list[str] = []
        self.ended: list[str] = []
        self.cancelled: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.under_way = 0
        self.most = 0
        self.at_once = at_once

    async def __call__(self, command):
        name = command.effect_id
        self.began.append(name)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        gate = self.gates.setdefault(name, asyncio.Event())
        try:
            if not self.at_once:
                await gate.wait()
            self.ended.append(name)
        except asyncio.CancelledError:
            self.cancelled.append(name)
            raise
        finally:
            self.under_way -= 1

    def let(self, *names):
        for name in names:
            self.gates.setdefault(name, asyncio.Event()).set()


async def turns(count=20):
    for _ in range(count):
        await asyncio.sleep(0)


def run(scenario, *, width=2, at_once=False):
    """Give a lane and its work to a scenario, and see that nothing is left over."""

    async def main():
        work = Work(at_once=at_once)
        lane = Lane(width, work)
        await asyncio.wait_for(scenario(lane, work), 10)
        await asyncio.wait_for(lane.settle(0), 10)
        assert work.under_way == 0
        return work

    return asyncio.run(main())


def commands(*names):
    return [Describe(name) for name in names]


def submit(lane, *names):
    for command in commands(*names):
        lane.submit(command)


def test_commands_begin_in_their_order_and_never_more_than_the_width():
    async def scenario(lane, work):
        submit(lane, "a", "b", "c", "d")
        await turns()
        assert work.began == ["a", "b"]
        work.let("b")
        await turns()
        assert work.began == ["a", "b", "c"]
        work.let("a")
        await turns()
        assert work.began == ["a", "b", "c", "d"]
        work.let("c", "d")
        await turns()

    work = run(scenario)
    assert work.most == 2
    assert sorted(work.ended) == ["a", "b", "c", "d"]


def test_a_command_that_waits_is_forgotten_when_revoked():
    async def scenario(lane, work):
        submit(lane, "a", "b", "c", "d")
        await turns()
        lane.revoke(["c"])
        work.let("a", "b", "d")
        await turns()

    work = run(scenario)
    assert work.began == ["a", "b", "d"]
    assert work.cancelled == []


def test_a_command_under_way_is_stopped_when_revoked_and_its_place_is_taken():
    async def scenario(lane, work):
        submit(lane, "a", "b", "c")
        await turns()
        lane.revoke(["a"])
        await turns()
        assert work.cancelled == ["a"]
        assert work.began == ["a", "b", "c"]
        work.let("b", "c")
        await turns()

    assert run(scenario).ended == ["b", "c"]


def test_all_workers_may_be_revoked_at_once_and_the_rest_goes_on():
    async def scenario(lane, work):
        submit(lane, "a", "b", "c", "d", "e")
        await turns()
        lane.revoke(["a", "b"])
        work.let("c", "d", "e")
        await turns()

    work = run(scenario)
    assert work.ended == ["c", "d", "e"]
    assert work.most == 2


def test_commands_that_come_after_a_revocation_begin():
    async def scenario(lane, work):
        submit(lane, "a", "b")
        await turns()
        lane.revoke(["a", "b"])
        submit(lane, "c")
        work.let("c")
        await turns()

    assert run(scenario).ended == ["c"]


def test_what_is_unknown_may_be_revoked():
    async def scenario(lane, work):
        lane.revoke(["nothing"])
        submit(lane, "a")
        work.let("a")
        await turns()
        lane.revoke(["a"])

    assert run(scenario).ended == ["a"]


def test_a_command_submitted_the_moment_a_worker_ends_begins():
    async def scenario(lane, work):
        for number in range(50):
            submit(lane, str(number))
            for _ in range(number % 4):
                await asyncio.sleep(0)
        await turns(200)

    assert run(scenario, width=1, at_once=True).ended == [str(number) for number in range(50)]


def test_a_paused_lane_begins_nothing_more():
    async def scenario(lane, work):
        submit(lane, "a", "b", "c")
        await turns()
        lane.pause()
        submit(lane, "d")
        work.let("a", "b", "c", "d")
        await turns()

    assert run(scenario).began == ["a", "b"]


def test_settling_lets_what_is_under_way_finish_within_its_time():
    async def scenario(lane, work):
        submit(lane, "a", "b", "c")
        await turns()
        asyncio.get_running_loop().call_later(0.01, work.let, "a", "b")
        await lane.settle(5)

    work = run(scenario)
    assert sorted(work.ended) == ["a", "b"]
    assert work.began == ["a", "b"]


def test_settling_stops_what_does_not_finish():
    async def scenario(lane, work):
        submit(lane, "a", "b")
        await turns()
        work.let("a")
        await lane.settle(0.01)

    work = run(scenario)
    assert (work.ended, work.cancelled) == (["a"], ["b"])


def test_settling_an_idle_lane_takes_no_time():
    async def scenario(lane, work):
        await asyncio.wait_for(lane.settle(60), 1)

    run(scenario)


@given(
    width=st.integers(1, 4),
    moves=st.lists(
        st.tuples(st.sampled_from(["submit", "let", "revoke", "turn"]), st.integers(0, 15)), max_size=60
    ),
)
def test_whatever_happens_every_command_ends_or_was_revoked(width, moves):
    async def scenario(lane, work):
        sent, revoked = [], set()
        for move, number in moves:
            if move == "submit":
                sent.append(f"{len(sent)}")
                submit(lane, sent[-1])
            elif move == "turn":
                await turns(number % 3 + 1)
            elif sent:
                name = sent[number % len(sent)]
                if move == "let":
                    work.let(name)
                else:
                    lane.revoke([name])
                    revoked.add(name)
        work.let(*sent)
        await turns(400)
        assert set(sent) - revoked <= set(work.ended)
        assert work.most <= width
        assert len(set(work.began)) == len(work.began)

    run(scenario, width=width)


def test_work_that_clears_up_slowly_keeps_its_place():
    async def main():
        began, clearing = [], asyncio.Event()

        async def work(command):
            began.append(command.effect_id)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await clearing.wait()
                raise

        lane = Lane(1, work)
        submit(lane, "a", "b")
        await turns()
        lane.revoke(["a"])
        await turns()
        assert began == ["a"]
        clearing.set()
        await turns()
        assert began == ["a", "b"]
        await lane.settle(0)

    asyncio.run(main())


@pytest.mark.parametrize("width", [1, 3])
def test_more_commands_than_places_all_end(width):
    async def scenario(lane, work):
        submit(lane, *map(str, range(100)))
        await turns(300)

    work = run(scenario, width=width, at_once=True)
    assert work.ended == [str(number) for number in range(100)]


def test_work_that_shrugs_its_revocation_off_taints_nothing_that_comes_after_it():
    cancels = {}

    async def stubborn(command):
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0 if command.effect_id == "b" else 60)
        cancels[command.effect_id] = asyncio.current_task().cancelling()

    async def main():
        lane = Lane(1, stubborn)
        submit(lane, "a", "b")
        await turns()
        lane.revoke(["a"])
        await turns()
        await lane.settle(1)

    asyncio.run(asyncio.wait_for(main(), 10))
    assert cancels == {"a": 1, "b": 0}
