from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gepa_framework.engine import Describe
from gepa_framework.engine.lanes import PROPOSE, ROLLOUT, SETUP, Lanes
from gepa_framework.runtime.crew import Crew, disown


class Work:
    """Work that waits until it is told to end."""

    def __init__(self, *, at_once=False):
        self.began: list[str] = []
        self.ended: list[str] = []
        self.cancelled: list[str] = []
        self.delivered: list[str] = []
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


def make_crew(width, work, **options):
    """Give a crew for commands of the lane that all of `commands` go to."""
    options.setdefault("deliver", lambda command, given: None)
    return Crew(Lanes({SETUP: width, PROPOSE: 0, ROLLOUT: 0}), work, **options)


def revoke(crew, *names):
    begun = crew.withdraw(names)
    crew.stop(names)
    return begun


def run(scenario, *, width=2, at_once=False):
    """Give a crew and its work to a scenario, and see that nothing is left over."""

    async def main():
        work = Work(at_once=at_once)
        team = make_crew(width, work, deliver=lambda command, given: work.delivered.append(command.effect_id))
        await asyncio.wait_for(scenario(team, work), 10)
        await asyncio.wait_for(team.settle(0), 10)
        assert work.under_way == 0
        return work

    return asyncio.run(main())


def commands(*names):
    return [Describe(name) for name in names]


def submit(crew, *names):
    crew.offer(commands(*names))


def test_commands_begin_in_their_order_and_never_more_than_the_width():
    async def scenario(crew, work):
        submit(crew, "a", "b", "c", "d")
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
    async def scenario(crew, work):
        submit(crew, "a", "b", "c", "d")
        await turns()
        revoke(crew, "c")
        work.let("a", "b", "d")
        await turns()

    work = run(scenario)
    assert work.began == ["a", "b", "d"]
    assert work.cancelled == []


def test_a_command_under_way_is_stopped_when_revoked_and_its_place_is_taken():
    async def scenario(crew, work):
        submit(crew, "a", "b", "c")
        await turns()
        revoke(crew, "a")
        await turns()
        assert work.cancelled == ["a"]
        assert work.began == ["a", "b", "c"]
        work.let("b", "c")
        await turns()

    assert run(scenario).ended == ["b", "c"]


def test_all_workers_may_be_revoked_at_once_and_the_rest_goes_on():
    async def scenario(crew, work):
        submit(crew, "a", "b", "c", "d", "e")
        await turns()
        revoke(crew, "a", "b")
        work.let("c", "d", "e")
        await turns()

    work = run(scenario)
    assert sorted(work.ended) == ["c", "d", "e"]
    assert work.most == 2


def test_commands_that_come_after_a_revocation_begin():
    async def scenario(crew, work):
        submit(crew, "a", "b")
        await turns()
        revoke(crew, "a", "b")
        submit(crew, "c")
        work.let("c")
        await turns()

    assert run(scenario).ended == ["c"]


def test_what_is_unknown_may_be_revoked():
    async def scenario(crew, work):
        revoke(crew, "nothing")
        submit(crew, "a")
        work.let("a")
        await turns()
        revoke(crew, "a")

    assert run(scenario).ended == ["a"]


def test_a_command_submitted_the_moment_a_worker_ends_begins():
    async def scenario(crew, work):
        for number in range(50):
            submit(crew, str(number))
            for _ in range(number % 4):
                await asyncio.sleep(0)
        await turns(200)

    assert run(scenario, width=1, at_once=True).ended == [str(number) for number in range(50)]


def test_a_paused_crew_begins_nothing_more():
    async def scenario(crew, work):
        submit(crew, "a", "b", "c")
        await turns()
        crew.pause()
        submit(crew, "d")
        work.let("a", "b", "c", "d")
        await turns()

    assert run(scenario).began == ["a", "b"]


def test_settling_lets_what_is_under_way_finish_within_its_time():
    async def scenario(crew, work):
        submit(crew, "a", "b", "c")
        await turns()
        asyncio.get_running_loop().call_later(0.01, work.let, "a", "b")
        await crew.settle(5)

    work = run(scenario)
    assert sorted(work.ended) == ["a", "b"]
    assert work.began == ["a", "b"]


def test_settling_stops_what_does_not_finish():
    async def scenario(crew, work):
        submit(crew, "a", "b")
        await turns()
        work.let("a")
        await crew.settle(0.01)

    work = run(scenario)
    assert (work.ended, work.cancelled) == (["a"], ["b"])


def test_settling_an_idle_crew_takes_no_time():
    async def scenario(crew, work):
        await asyncio.wait_for(crew.settle(60), 1)

    run(scenario)


@given(
    width=st.integers(1, 4),
    moves=st.lists(
        st.tuples(st.sampled_from(["submit", "let", "revoke", "turn"]), st.integers(0, 15)), max_size=60
    ),
)
def test_whatever_happens_every_command_ends_or_was_revoked(width, moves):
    async def scenario(crew, work):
        sent, revoked = [], set()
        for move, number in moves:
            if move == "submit":
                sent.append(f"{len(sent)}")
                submit(crew, sent[-1])
            elif move == "turn":
                await turns(number % 3 + 1)
            elif sent:
                name = sent[number % len(sent)]
                if move == "let":
                    work.let(name)
                else:
                    revoke(crew, name)
                    revoked.add(name)
        work.let(*sent)
        await turns(400)
        assert set(sent) - revoked <= set(work.ended)
        assert set(sent) - revoked <= set(work.delivered) <= set(work.ended)
        assert crew.busy == 0
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

        crew = make_crew(1, work)
        submit(crew, "a", "b")
        await turns()
        revoke(crew, "a")
        await turns()
        assert began == ["a"]
        clearing.set()
        await turns()
        assert began == ["a", "b"]
        await crew.settle(0)

    asyncio.run(main())


@pytest.mark.parametrize("width", [1, 3])
def test_more_commands_than_places_all_end(width):
    async def scenario(crew, work):
        submit(crew, *map(str, range(100)))
        await turns(300)

    work = run(scenario, width=width, at_once=True)
    assert sorted(work.ended, key=int) == [str(number) for number in range(100)]


def test_work_that_shrugs_its_revocation_off_taints_nothing_that_comes_after_it():
    cancels = {}

    async def stubborn(command):
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0 if command.effect_id == "b" else 60)
        cancels[command.effect_id] = asyncio.current_task().cancelling()

    async def main():
        crew = make_crew(1, stubborn)
        submit(crew, "a", "b")
        await turns()
        revoke(crew, "a")
        await turns()
        await crew.settle(1)

    asyncio.run(asyncio.wait_for(main(), 10))
    assert cancels == {"a": 1, "b": 0}


def test_an_outcome_that_nobody_wants_is_not_delivered():
    """Even where the work ends as if it had not been stopped, or before it is."""

    async def scenario(crew, work):
        submit(crew, "a", "b")
        await turns()
        assert crew.withdraw(["a", "c"]) == ("a",)
        work.let("a", "b")
        await turns()
        assert work.delivered == ["b"]
        submit(crew, "a")
        await turns()
        assert work.delivered == ["b", "a"], "it is wanted again"

    run(scenario)


class Stubborn:
    """Work that cannot be stopped, until it is let go."""

    def __init__(self):
        self.gate = asyncio.Event()

    async def __call__(self, command):
        while not self.gate.is_set():
            with suppress(asyncio.CancelledError):
                await self.gate.wait()
        return command.effect_id


def test_the_place_of_revoked_work_that_does_not_end_is_given_to_the_next(caplog):
    async def main():
        work, delivered, lost = Stubborn(), [], []
        deliver, lose = (lambda _, given: delivered.append(given)), (lambda it: lost.append(it.effect_id))
        crew = make_crew(1, work, deliver=deliver, grace_seconds=0.0, lost=lose)
        submit(crew, "a", "b")
        await turns()
        revoke(crew, "a")
        await turns()
        assert (crew.busy, crew.withdraw(["a", "b"])) == (1, ("b",))
        crew.withdraw(["b"])
        submit(crew, "c")
        work.gate.set()
        await turns()
        assert (delivered, lost) == (["c"], ["a"])
        await crew.settle(0)

    asyncio.run(asyncio.wait_for(main(), 10))
    assert "a does not end although it was stopped" in caplog.text


def test_work_that_is_given_up_is_told_of_once_and_its_outcome_is_ignored():
    async def main():
        work, delivered, begun = Stubborn(), [], []
        crew = make_crew(1, work, deliver=lambda _, given: delivered.append(given))
        submit(crew, "a", "b")
        await turns()
        begun.extend(asyncio.all_tasks() - {asyncio.current_task()})
        (task,) = [task for task in begun if "_drain" in repr(task)]
        assert crew.give_up(task).effect_id == "a"
        assert crew.give_up(task) is None
        work.gate.set()
        await turns()
        assert delivered == ["b"]
        assert task.done()
        assert task.exception() is None

    asyncio.run(main())


def test_work_that_is_given_up_although_nobody_wants_it_is_nothing_to_tell_of():
    async def main():
        crew = make_crew(1, Stubborn())
        submit(crew, "a")
        await turns()
        (task,) = [task for task in asyncio.all_tasks() if "_drain" in repr(task)]
        crew.withdraw(["a"])
        assert crew.give_up(task) is None
        assert crew.busy == 0
        task.cancel()

    with suppress(asyncio.CancelledError):
        asyncio.run(asyncio.wait_for(hopeless(main()), 10))


async def hopeless(scenario):
    """Let go of what cannot be stopped, so that the loop may end."""
    await scenario
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        if "_drain" in repr(task):
            disown(task)


def test_nobody_waits_for_work_that_cannot_be_stopped_when_everything_ends(monkeypatch, caplog):
    monkeypatch.setattr("gepa_framework.runtime.crew._FAREWELL_SECONDS", 0.01)
    held = []

    async def main():
        work = Stubborn()
        held.append(work)
        crew = make_crew(1, work)
        submit(crew, "a", "b")
        await turns()
        await crew.settle(0)
        assert crew.busy == 0

    asyncio.run(main())
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_the_end_of_the_last_worker_is_told():
    idle = []

    async def main():
        work = Work()
        crew = make_crew(2, work, idle=lambda: idle.append(crew.busy))
        submit(crew, "a", "b", "c")
        work.let("a", "c")
        await turns()
        assert (crew.busy, idle) == (1, [])
        work.let("b")
        await turns()
        assert idle == [0]
        await crew.settle(0)

    asyncio.run(main())


def test_a_crew_is_widened_and_narrowed_while_it_works():
    async def main():
        work = Work()
        crew = make_crew(1, work)
        submit(crew, *"abcdef")
        await turns()
        crew.resize(SETUP, 3)
        await turns()
        assert work.began == ["a", "b", "c"]
        crew.resize(SETUP, 1)
        work.let("a", "b")
        await turns()
        assert work.began == ["a", "b", "c"]
        work.let(*"cdef")
        await turns()
        assert work.ended == list("abcdef")
        await crew.settle(0)

    asyncio.run(main())


def test_a_command_whose_turn_it_just_was_does_not_begin_in_a_paused_crew():
    async def scenario(crew, work):
        submit(crew, "a", "b")
        crew.pause()
        await turns()
        assert (work.began, crew.busy) == ([], 0)

    run(scenario)


def test_commands_that_end_at_once_are_carried_out_by_one_worker():
    async def scenario():
        work, tasks = Work(at_once=True), set()

        async def carry_out(command):
            tasks.add(asyncio.current_task())
            await work(command)

        crew = make_crew(8, carry_out)
        crew.offer([Describe(str(number)) for number in range(20)])
        await turns()
        assert work.ended == [str(number) for number in range(20)]
        assert (len(tasks), crew.busy) == (1, 0)

    asyncio.run(scenario())


def test_others_begin_as_soon_as_the_first_one_waits():
    async def scenario():
        work = Work()
        crew = make_crew(8, work)
        crew.offer([Describe(str(number)) for number in range(10)])
        await turns(3)
        assert work.under_way == 8
        await crew.settle(0)

    asyncio.run(scenario())
