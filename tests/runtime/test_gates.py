from __future__ import annotations

import asyncio

import pytest

from gepa_framework.runtime import Aimd, AimdRule, Gate
from gepa_framework.types import FailureKind, RolloutFailure, RolloutResult

OK = RolloutResult(1.0)


def refused(status=429, retry_after=None):
    return RolloutFailure(
        FailureKind.CONTAINER,
        f"http_{status}",
        "no",
        retryable=True,
        http_status=status,
        retry_after_seconds=retry_after,
    )


def gate(width=2, *, least=1, most=8, resized=None, **options):
    return Gate(Aimd(AimdRule(width, least, most, **options)), resized or (lambda _: None))


async def turns(count=10):
    for _ in range(count):
        await asyncio.sleep(0)


def run(scenario):
    asyncio.run(asyncio.wait_for(scenario, 10))


class Queue:
    """Asks a gate for places, and notes who is let through."""

    def __init__(self, gate):
        self.gate = gate
        self.inside = {}
        self.tasks = {}

    async def ask(self, *names):
        for name in names:
            self.tasks[name] = asyncio.create_task(self._enter(name))
        await turns()

    async def _enter(self, name):
        self.inside[name] = await self.gate.enter()

    def leave(self, name, outcome=OK):
        return self.gate.leave(self.inside.pop(name), outcome)


def test_so_many_are_let_through_in_the_order_in_which_they_came():
    async def scenario():
        queue = Queue(gate(2))
        await queue.ask("a", "b", "c", "d")
        assert list(queue.inside) == ["a", "b"]
        queue.leave("b")
        await turns()
        assert list(queue.inside) == ["a", "c"]
        queue.leave("a", None)
        queue.leave("c")
        await turns()
        await queue.ask("e")
        assert list(queue.inside) == ["d", "e"]

    run(scenario())


def test_nobody_slips_past_those_who_wait():
    async def scenario():
        queue = Queue(gate(1))
        await queue.ask("a", "b")
        queue.leave("a")
        await queue.ask("c")
        assert list(queue.inside) == ["b"]

    run(scenario())


@pytest.mark.parametrize("moment", ["waiting", "admitted"])
def test_whoever_gives_up_takes_nobodys_place(moment):
    async def scenario():
        queue = Queue(gate(1))
        await queue.ask("a", "b", "c")
        if moment == "admitted":
            queue.leave("a")  # b is let in, and is stopped before it has noticed
        queue.tasks["b"].cancel()
        await turns()
        if moment == "waiting":
            queue.leave("a")
            await turns()
        assert list(queue.inside) == ["c"]
        await queue.ask("d")
        queue.leave("c")
        await turns()
        assert list(queue.inside) == ["d"]

    run(scenario())


def test_whoever_gives_up_just_before_a_place_is_free_takes_nobodys_place():
    async def scenario():
        queue = Queue(gate(1))
        await queue.ask("a", "b", "c")
        queue.tasks["b"].cancel()
        queue.leave("a")
        await turns()
        assert list(queue.inside) == ["c"]

    run(scenario())


def test_an_overload_narrows_the_gate_and_says_so(caplog):
    async def scenario():
        widths = []
        queue = Queue(gate(4, resized=widths.append))
        await queue.ask(*"abcdef")
        for name in "abcd":
            queue.leave(name, refused())
        await turns()
        assert (widths, list(queue.inside)) == ([2], ["e", "f"])

    run(scenario())
    (record,) = caplog.records
    assert record.getMessage() == (
        "the container is overloaded (http_429): rollouts at once are now 2 instead of 4"
    )


def test_successes_widen_the_gate_for_those_who_wait():
    async def scenario():
        widths = []
        queue = Queue(gate(1, increase_after=1, resized=widths.append))
        await queue.ask(*"abcd")
        queue.leave("a")
        await turns()
        assert (widths, list(queue.inside)) == ([2], ["b", "c"])

    run(scenario())


@pytest.mark.parametrize(
    ("width", "outcome", "blameless"),
    [
        (4, refused(429), True),
        (4, refused(504), True),
        (1, refused(429), True),
        (1, refused(503), True),
        (1, refused(529), True),
        (1, refused(504), False),
        (1, refused(408), False),
        (4, refused(500), False),
        (4, refused(422), False),
        (4, RolloutFailure(FailureKind.TIMEOUT, "timeout", "late", retryable=True), False),
        (4, OK, False),
        (4, None, False),
    ],
)
def test_a_rollout_is_not_to_blame_while_less_at_once_may_help_or_where_it_was_turned_away(
    width, outcome, blameless
):
    async def scenario():
        queue = Queue(gate(width))
        await queue.ask("a")
        assert queue.leave("a", outcome) is blameless

    run(scenario())


def test_nobody_is_let_through_while_the_container_asks_for_patience(caplog):
    async def scenario():
        loop = asyncio.get_running_loop()
        queue = Queue(gate(4))
        await queue.ask("a", "b", "c")
        began = loop.time()
        queue.leave("a", refused(429, retry_after=0.03))
        queue.leave("b", refused(503, retry_after=0.08))
        queue.leave("c", refused(503, retry_after=0.01))
        await queue.ask("d")
        assert queue.inside == {}
        await queue.tasks["d"]
        assert loop.time() - began >= 0.08

    run(scenario())
    told = [record.getMessage() for record in caplog.records]
    assert told[1:] == ["the container asks for 0.03 s of patience: no rollout is sent"] or told[:1] == [
        "the container asks for 0.03 s of patience: no rollout is sent"
    ]
    assert len(told) == 2


def test_patience_has_its_limit(monkeypatch):
    async def scenario():
        monkeypatch.setattr("gepa_framework.runtime.gate.LONGEST_WAIT", 0.01)
        queue = Queue(gate(4))
        await queue.ask("a")
        queue.leave("a", refused(429, retry_after=1e9))
        await queue.ask("b")
        await queue.tasks["b"]

    run(scenario())


def test_a_long_storm_is_told_of_in_few_words(caplog):
    async def scenario():
        queue = Queue(gate(64, most=64, increase_after=1))
        for number in range(200):
            await queue.ask("a")
            queue.leave("a", OK if number % 2 else refused())

    run(scenario())
    assert len(caplog.records) == 1
