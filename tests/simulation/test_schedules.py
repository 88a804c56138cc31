from __future__ import annotations

from collections import Counter

import pytest
from tests.simulation.play import play, story

from gepa_framework.engine import Machine, Status, foretelling, lifecycle
from gepa_framework.engine.budget import Budget, Purse
from gepa_framework.engine.extending import reopen
from gepa_framework.engine.run import Run
from gepa_framework.engine.scheduler import Scheduler
from gepa_framework.types.events import EVENT_TYPES

CHUNKS, EACH = 24, 50


def failures(seeds):
    """Give the schedules that fail, each with its number and why."""
    found = []
    for seed in seeds:
        try:
            play(seed)
        except Exception as error:  # noqa: BLE001 - whatever it is, its number reproduces it
            found.append(f"schedule {seed} (python -m tests.simulation --first {seed} --count 1): {error!r}")
    return found


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_schedule_keeps_what_must_be_kept(chunk):
    assert failures(range(chunk * EACH, (chunk + 1) * EACH)) == []


def test_the_schedules_reach_what_can_happen():
    ends, events, reasons, crashes, refusals = Counter(), Counter(), Counter(), 0, 0
    for seed in range(400):
        simulation = play(seed)
        ends[simulation.machine.status] += 1
        crashes += simulation.crashes
        refusals += simulation.refusals
        for body in story(simulation):
            events[body.type] += 1
            reasons[getattr(body, "kind", "")] += body.type == "gepa.stop"
            reasons["given up"] += getattr(body, "reason", "").startswith("could not be accepted any more")
    assert {Status.FINISHED, Status.FAILED, Status.CANCELLED} == set(ends)
    assert not set(EVENT_TYPES) - set(events)
    assert crashes > 50
    assert min(refusals, events["gepa.run.extended"]) > 20
    assert reasons["given up"] > 5
    assert (
        min(reasons[kind] for kind in ("max_cost_usd", "max_train_rollouts", "max_proposals", "remembered"))
        > 0
    )


def forget_what_is_aside(monkeypatch):
    short = Budget.short

    def careless(self, limits, need):
        aside, self.train, self.heldout = (self.train, self.heldout), 0, 0
        try:
            return short(self, limits, need)
        finally:
            self.train, self.heldout = aside

    monkeypatch.setattr(Budget, "short", careless)


def keep_the_purse(monkeypatch):
    monkeypatch.setattr(Purse, "close", lambda self: None)


def pass_outcomes_on_as_they_come(monkeypatch):
    release = Scheduler._release

    def hasty(self, task):
        task.batch = task.batch.__class__(
            tuple(sorted(task.batch.commands, key=lambda c: c.effect_id not in task.outcomes)),
            task.batch.observe,
            task.batch.full,
            task.batch.needless,
        )
        release(self, task)

    monkeypatch.setattr(Scheduler, "_release", hasty)


def never_begin_another(monkeypatch):
    end = Scheduler._end

    def idle(self, task):
        end(self, task)
        self._may_begin = False

    monkeypatch.setattr(Scheduler, "_end", idle)


def forget_what_failed_attempts_took(monkeypatch):
    monkeypatch.setattr(Run, "count_attempt", lambda self, usage: None)


def draw_lots_by_the_clock(monkeypatch):
    feed = Machine.feed
    fed = iter(range(10**9))

    def impure(self, given, elapsed):
        self.run.highest_reward = 2.0 * (next(fed) % 7 == 0)
        return feed(self, given, elapsed)

    monkeypatch.setattr(Machine, "feed", impure)


def give_up_on_what_is_not_in_yet(monkeypatch):
    parts = foretelling._parts

    def pessimistic(run, before, seen, top):
        return parts(run, [(row, reward) for row, reward in before if row in seen], seen, top)

    monkeypatch.setattr(foretelling, "_parts", pessimistic)


def think_of_what_was_cut_off_as_under_way(monkeypatch):
    def forgetful(run):
        finished = run.finished
        reopen(run)
        run.finished = finished

    monkeypatch.setattr(lifecycle, "reopen", forgetful)


def look_at_heldout_rows_again(monkeypatch):
    def curious(run):
        reopen(run)
        run.heldout_candidates.clear()

    monkeypatch.setattr(lifecycle, "reopen", curious)


@pytest.mark.parametrize(
    "fault",
    [
        forget_what_is_aside,
        keep_the_purse,
        pass_outcomes_on_as_they_come,
        never_begin_another,
        forget_what_failed_attempts_took,
        draw_lots_by_the_clock,
        give_up_on_what_is_not_in_yet,
        think_of_what_was_cut_off_as_under_way,
        look_at_heldout_rows_again,
    ],
)
def test_a_planted_fault_does_not_pass(fault, monkeypatch):
    fault(monkeypatch)
    assert any(failures([seed]) for seed in range(1500))
