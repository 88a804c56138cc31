from __future__ import annotations

import asyncio
import json

import attrs
import pytest

from gepa_framework.engine import Accepting, Status
from gepa_framework.errors import (
    CacheMissError,
    DiskBudgetError,
    PluginBrokenError,
    ReplayDivergenceError,
    TransportError,
    WorkspaceError,
)
from gepa_framework.runtime import Audience, CacheMode, OnError, Pace, RetryPolicy
from gepa_framework.types import FailureKind, RolloutFailure

BUSY = RolloutFailure(FailureKind.CONTAINER, "busy", "come back", retryable=True)


class Wrapped:
    """A journal that notes what is committed, and fails when it is told to."""

    def __init__(self, journal, log, fail_at=0):
        self.journal = journal
        self.log = log
        self.fail_at = fail_at
        self.commits = 0

    def commit(self, records):
        self.commits += 1
        if self.commits == self.fail_at:
            raise DiskBudgetError("no room", hint="make some")
        lines = self.journal.commit(records)
        self.log.append(("commit", [record.given.effect_id for record in records]))
        return lines


async def until(condition):
    while not condition():  # noqa: ASYNC110 - what it waits for is not an event but a number
        await asyncio.sleep(0.001)


def scattered(request):
    """Answer after a while that depends on the rollout, so that outcomes come in another order."""

    async def answer():
        await asyncio.sleep(sum(map(ord, request.rollout_id)) % 5 / 1000)

    return answer()


def test_a_run_is_driven_to_its_end(stand):
    run = stand().go()
    assert run.machine.status is Status.FINISHED
    assert run.types[0] == "gepa.run.started"
    assert run.types[-1] == "gepa.run.finished"
    assert [event.seq for event in run.recorder.events] == list(range(1, len(run.types) + 1))
    assert [json.loads(line)["type"] for line in run.feed.splitlines()] == run.types


def test_what_listeners_hear_is_what_is_on_record(stand):
    run = stand().go()
    recorded = [name for entry in run.stored() for name, _ in entry.events]
    assert recorded == run.types


@pytest.mark.parametrize("width", [1, 3, 50])
def test_no_more_rollouts_are_under_way_than_allowed(kit, stand, width):
    run = stand(transport=kit.Transport(scattered), pace=Pace(rollouts=width)).go()
    assert run.transport.most == min(width, 6)


def test_the_feed_is_the_same_at_any_width_and_in_any_order(kit, stand):
    feeds = {
        stand(transport=kit.Transport(answer), pace=Pace(rollouts=width), run_id=f"r{width}").go().feed
        for width, answer in ((1, None), (2, scattered), (8, scattered), (50, None))
    }
    assert len(feeds) == 1


def test_everything_is_on_record_before_what_follows_from_it_is_begun(kit, stand):
    log = []

    def answer(request):
        log.append(("sent", request.row.id, request.stage.value))

    run = stand(transport=kit.Transport(answer), wrap=lambda journal: Wrapped(journal, log)).go()
    committed = set()
    seeds = {row.id for row in run.machine.run.pareto}
    for kind, what, *stage in log:
        if kind == "commit":
            committed |= set(what)
        elif stage[0] == "parent_minibatch":
            names = {name.rsplit("/", 1)[1] for name in committed if name and "seed_full_train" in name}
            assert names == seeds
        elif stage[0] == "candidate_minibatch":
            assert any(name and name.startswith("proposal/") for name in committed)
        else:
            assert "container/rows/heldout" in committed
    assert {"sent", "commit"} == {entry[0] for entry in log}


def test_outcomes_that_come_together_are_committed_together(stand):
    log = []
    stand(wrap=lambda journal: Wrapped(journal, log), pace=Pace(rollouts=50)).go()
    assert max(len(names) for _, names in log) == 6


def test_a_failed_commit_ends_the_run_and_begins_nothing_that_follows(kit, stand):
    run = stand(wrap=lambda journal: Wrapped(journal, [], fail_at=5))
    with pytest.raises(DiskBudgetError, match="no room"):
        run.go()
    assert run.transport.requests == []
    whole = stand().go()
    run.wrap = lambda journal: journal
    assert run.go().feed == whole.feed


def test_superseded_attempts_are_on_record(kit, stand):
    failed = set()

    def answer(request):
        if request.row.id == "train:2" and request.rollout_id not in failed and len(failed) < 2:
            failed.add(request.rollout_id)
            return BUSY
        return None

    run = stand(transport=kit.Transport(answer), options={"retry": RetryPolicy(3, 0.0)}).go()
    assert run.feed == stand().go().feed
    books = run.machine.run.ledger
    assert (books.superseded_attempts, books.unpriced, books.cost_usd) == (
        2,
        ("container.rollout x 2",),
        None,
    )
    assert books.outcome_usage.cost_usd == 0.0
    assert run.go().machine.run.ledger == books, "and a replay finds it there"
    from contextlib import closing

    from gepa_framework.workspace import read_database

    with closing(read_database(run.path / "workspace.sqlite")) as database:
        rows = database.execute("SELECT attempt, code FROM attempts ORDER BY attempt").fetchall()
    assert rows == [(1, "busy"), (2, "busy")]


def test_an_error_in_set_up_comes_after_what_was_done_is_on_record(kit, stand):
    class Half(kit.Transport):
        async def program(self):
            raise TransportError("gone", hint="start it")

    run = stand(transport=Half())
    with pytest.raises(TransportError, match="gone; start it"):
        run.go()
    assert run.effects == ["container/metadata"]
    run.transport = kit.Transport()
    assert run.go().feed == stand().go().feed


def test_a_miss_of_the_cache_comes_after_what_was_done_is_on_record(kit, stand):
    cache = kit.MemoryCache()
    stand(options={"cache": cache, "mode": CacheMode.READWRITE}).go()
    dropped = next(place for place in list(cache.kept) if place[0] == "space:proposer.fake")
    del cache.kept[dropped]
    run = stand(options={"cache": cache, "mode": CacheMode.READONLY})
    with pytest.raises(CacheMissError, match=r"the cache has no proposer\.fake"):
        run.go()
    assert len(run.effects) >= 4 + 6 + 2
    run.options = {}
    assert run.go().machine.status is Status.FINISHED


class Broken:
    """A stopper that is broken from its second check on."""

    def __init__(self):
        self.checks = 0

    def check(self, view):
        self.checks += 1
        if self.checks == 2:
            raise PluginBrokenError("the stopper is broken", hint="mend it")


def test_what_came_in_before_a_broken_stopper_was_asked_is_on_record(kit, stand):
    run = stand(stoppers=(Broken(),), pace=Pace(rollouts=50))
    with pytest.raises(PluginBrokenError):
        run.go()
    sent = len(run.transport.requests)
    journalled = len([name for name in run.effects if name.startswith("rollout")])
    assert journalled == sent - 1
    run.stoppers = ()
    run.transport = kit.Transport()
    assert run.go().feed == stand().go().feed


def test_a_listener_that_may_stop_the_run_stops_it_resumably(stand):
    class Touchy:
        def on_event(self, event):
            if event.type == "iteration.started":
                raise ValueError("no more")

    run = stand(audiences=(Audience("touchy", Touchy(), OnError.STOP),))
    with pytest.raises(PluginBrokenError, match="'touchy' raised ValueError: no more"):
        run.go()
    run.audiences = ()
    assert run.go().feed == stand().go().feed


def test_a_listener_that_raises_does_no_harm(stand):
    class Touchy:
        def on_event(self, event):
            raise ValueError("no more")

    run = stand(audiences=(Audience("touchy", Touchy(), OnError.WARN),)).go()
    assert run.machine.status is Status.FINISHED
    assert run.feed == stand().go().feed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 4}, 'input 1, event 1 .*\'gepa.run.started\'.*"seed":3.*"seed":4'),
        ({"minibatch_size": 3}, "'iteration.started'"),
        ({"accepting": Accepting(margin=5.0)}, "'candidate.accepted'.*'candidate.rejected'"),
    ],
)
def test_a_journal_of_another_plan_is_refused_with_the_first_difference(kit, stand, change, words):
    run = stand().go()
    asked = len(run.transport.requests)
    run.plan = attrs.evolve(run.plan, **change)
    with pytest.raises(ReplayDivergenceError, match=words) as caught:
        run.go()
    assert "recorded" in caught.value.message
    assert "derived" in caught.value.message
    assert "resume with the program, plugins and configuration" in caught.value.hint
    assert len(run.transport.requests) == asked


def test_a_plan_that_ends_sooner_does_not_fit_the_journal(stand):
    run = stand().go()
    limits = attrs.evolve(run.plan.limits, iterations=1)
    run.plan = attrs.evolve(run.plan, limits=limits)
    with pytest.raises(ReplayDivergenceError, match="input 1, event 1"):
        run.go()


def test_a_damaged_journal_is_not_replayed(stand):
    import sqlite3

    run = stand().go()
    database = sqlite3.connect(run.path / "workspace.sqlite")
    database.execute("UPDATE inputs SET payload = replace(payload, '0.0', '1.0') WHERE kind = 'rollout'")
    database.commit()
    database.close()
    with pytest.raises(WorkspaceError, match="is not what was written"):
        run.go()


def test_a_finished_run_is_replayed_without_asking_anything(kit, stand):
    run = stand().go()
    feed, events = run.feed, len(run.types)
    run.transport, run.proposer = kit.Transport(), object()
    run.go()
    assert run.transport.requests == []
    assert run.feed == feed
    assert len(run.types) == events


def test_a_call_that_cancels_itself_does_not_hang_the_run(kit, stand):
    def answer(request):
        if request.row.id == "train:3" and request.stage.value == "seed_full_train":
            raise asyncio.CancelledError

    run = stand(transport=kit.Transport(answer)).go()
    assert run.machine.status is Status.FINISHED
    assert "rollout.failed" in run.types


def test_a_proposal_is_read_the_same_in_life_and_in_replay(kit, stand):
    """Numbers as keys are text in JSON; their order must not depend on who reads them."""
    from gepa_framework.types import RolloutResult

    def answer(request):
        return RolloutResult(0.5, output={10: "x", 9: "y"}, feedback={"by": {2: 1, 10: 1}})

    run = stand(transport=kit.Transport(answer)).go()
    feed = run.feed
    assert run.go().feed == feed


@pytest.mark.parametrize("share", [1, 3])
def test_failing_rollouts_give_the_same_feed_at_any_width(kit, stand, share):
    def answer(request):
        return BUSY if sum(map(ord, f"{request.candidate.id}{request.row.id}")) % 4 < share else None

    def feed(width):
        plan = attrs.evolve(kit.PLAN, failure_tolerance=1.0)
        run = stand(transport=kit.Transport(answer), plan=plan, pace=Pace(rollouts=width))
        return run.go().feed

    assert feed(1) == feed(7)


def test_nothing_is_left_under_way_after_an_error(kit, stand):
    def answer(request):
        return asyncio.Event().wait()

    log = []
    run = stand(transport=kit.Transport(answer), wrap=lambda journal: Wrapped(journal, log))

    async def interrupt(run):
        await until(lambda: run.transport.under_way == 6)
        run.driver._error = TransportError("pulled the plug")
        run.driver._wake.set()

    with pytest.raises(TransportError):
        run.go(interrupt)
    assert run.transport.under_way == 0
    assert len(run.transport.cancelled) == 6
