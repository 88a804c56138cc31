from __future__ import annotations

import attrs
import pytest

from gepa_framework.engine import Cancel, Extend, Limits, Pipelining, Propose, Status, heldout_reserve
from gepa_framework.errors import BudgetExceededError, StateTransitionError
from gepa_framework.types import Stage, StopReason, Usage


def raised(play, **limits):
    """Give what raises some of the limits that hold."""
    return Extend(attrs.evolve(play.run.limits, **limits), tuple(f"{k}={v}" for k, v in limits.items()))


def extended(play, **limits):
    return play.take(play.machine.feed(raised(play, **limits), play.clock))


class Once:
    """A stopper that says no more than it is told."""

    def __init__(self, iterations):
        self.iterations = iterations

    def check(self, view):
        return (
            StopReason("once", self.iterations, view.iteration) if view.iteration >= self.iterations else None
        )


def test_a_run_that_its_limit_ended_goes_on_where_it_ended(toy):
    short = toy.play(toy.plan(limits={"iterations": 2}))
    long = toy.play(toy.plan(limits={"iterations": 5}))
    before = len(short.world.rollouts())
    extended(short, iterations=5, heldout_rollouts=6).finish()
    assert short.machine.status is Status.FINISHED
    assert short.run.stopped == long.run.stopped
    assert short.run.pool.best.candidate == long.run.pool.best.candidate
    asked = [command.effect_id for command in short.world.asked]
    assert len(asked) == len(set(asked))
    assert before < len(asked)
    assert {c.effect_id for c in long.world.rollouts()} <= set(asked)


def test_the_events_tell_of_the_extension_and_of_a_second_end(toy):
    play = toy.play(toy.plan(limits={"iterations": 2}))
    first = len(play.events)
    extended(play, iterations=3, heldout_rollouts=6).finish()
    assert play.types[first] == "gepa.run.extended"
    assert play.of("gepa.run.extended")[0].limits["iterations"] == 3
    assert play.of("gepa.run.extended")[0].sets == ("iterations=3", "heldout_rollouts=6")
    assert len(play.of("gepa.run.finished")) == len(play.of("gepa.stop")) == 2
    assert play.types[-1] == "gepa.run.finished"
    assert play.of("gepa.run.finished")[1].iterations == 3


def test_heldout_rows_are_asked_for_once_for_each_candidate(toy):
    play = toy.play(toy.plan(limits={"iterations": 1}))
    extended(play, iterations=2, heldout_rollouts=6).finish()
    extended(play, iterations=3, heldout_rollouts=8).finish()
    asked = [(c.candidate.id, c.row.id) for c in play.world.rollouts(Stage.HELDOUT)]
    assert len(asked) == len(set(asked)) == 8
    assert play.run.ledger.heldout_rollouts == 8
    assert [len(body.candidates) for body in play.of("heldout.started")] == [2, 1, 1]
    assert play.run.pool.best.candidate.id in play.run.heldout_scores


def test_a_best_that_stays_the_best_is_not_measured_again(toy):
    world = toy.World(propose=["0.5", "0.3", "0.1", "0.15"])
    play = toy.play(toy.plan(limits={"iterations": 1}), world)
    extended(play, iterations=3, heldout_rollouts=6).finish()
    assert len(play.of("heldout.started")) == 1
    assert play.run.ledger.heldout_rollouts == 4


def test_a_running_search_takes_higher_limits_without_a_break(toy):
    play = toy.Play(toy.plan(limits={"iterations": 2})).start().until(lambda p: p.run.iteration == 2)
    pending = dict(play.machine.pending)
    extended(play, iterations=4)
    assert dict(play.machine.pending) == pending
    play.finish()
    whole = toy.play(toy.plan(limits={"iterations": 4}))
    assert [t for t in play.types if t != "gepa.run.extended"] == whole.types


def test_limits_are_not_lowered_below_what_is_set_aside(toy):
    play = toy.Play(toy.plan(limits={"total_rollouts": 100})).start()
    play.until(lambda p: p.run.iteration == 2)
    run = play.run
    needed = {
        "total_rollouts": run.ledger.rollouts + run.budget.train + run.budget.heldout,
        "train_rollouts": run.ledger.train_rollouts + run.budget.train,
        "proposals": run.ledger.proposals + run.budget.proposals,
    }
    assert run.budget.train > 0 < run.budget.heldout
    assert run.budget.proposals > 0
    for name, least in needed.items():
        with pytest.raises(
            BudgetExceededError, match=rf"on {name} would fall .* and {least} are spent or set"
        ):
            extended(play, **{name: least - 1})
    extended(play, **needed)
    assert play.run.limits.total_rollouts == needed["total_rollouts"]


def test_limits_that_are_raised_while_heldout_rows_are_scored_reopen_the_search_after_them(toy):
    play = toy.Play(toy.plan(limits={"iterations": 1})).start().until(lambda p: p.awaiting(Stage.HELDOUT))
    extended(play, iterations=2, heldout_rollouts=6).finish()
    assert play.run.iteration == 2
    assert len(play.of("gepa.stop")) == 2
    assert len(play.of("gepa.run.finished")) == 1
    assert play.run.ledger.heldout_rollouts == 6


def test_limits_that_are_raised_before_the_search_hold_in_it(toy):
    play = toy.Play(toy.plan(limits={"iterations": 1})).start()
    extended(play, iterations=2).finish()
    assert play.run.iteration == 2
    assert len(play.of("gepa.stop")) == 1


def test_a_search_that_a_deadline_cut_off_goes_on_with_the_next_iteration(toy):
    plan = toy.plan(limits={"iterations": 3, "seconds": 10.0})
    play = toy.Play(plan).start().until(lambda p: p.run.iteration == 2 and p.awaiting(Stage.CHILD))
    play.tick(11.0).finish()
    assert play.run.stopped.kind == "max_time_seconds"
    extended(play, seconds=100.0, heldout_rollouts=6).finish()
    assert play.run.stopped.kind == "max_generations"
    assert [body.iteration for body in play.of("iteration.started")] == [1, 2, 3]
    effects = [command.effect_id for command in play.commands]
    assert len(effects) == len(set(effects))


def test_what_a_deadline_cut_off_is_not_under_way_any_more_when_the_search_is_reopened(toy):
    limits = {"iterations": None, "seconds": 10.0, "train_rollouts": 60}
    plan = toy.plan(limits=limits, pipelining=Pipelining(in_flight=3))
    play = toy.Play(plan).start().until(lambda p: p.run.in_flight == 3 and p.awaiting(Stage.CHILD))
    play.tick(11.0)
    cut = play.run.in_flight
    assert cut > 1
    begun = play.finish().run.iteration
    assert play.run.in_flight == cut
    extended(play, seconds=100.0, heldout_rollouts=6)
    assert play.run.iteration == begun + 3
    assert play.run.in_flight == play.run.view().in_flight == 3
    play.finish()
    # A search that thought of them as under way would wait for what they might give back.
    assert play.run.stopped.kind == "max_train_rollouts"
    assert play.run.in_flight == 0


def test_a_reopened_search_keeps_to_its_rollouts(toy):
    world = toy.World(propose=["0.1"])
    play = toy.play(toy.plan(limits={"iterations": None, "train_rollouts": 12}), world)
    assert play.run.stopped.kind == "max_train_rollouts"
    for limit in (16, 20, 24, 40):
        extended(play, train_rollouts=limit, heldout_rollouts=6).finish()
        assert play.run.stopped.limit == limit
        assert limit - 8 < play.run.ledger.train_rollouts <= limit


def test_a_stopper_is_asked_with_what_it_was_raised_to(toy):
    play = toy.play(toy.plan(limits={"iterations": None}), stoppers=[Once(2)])
    given = attrs.evolve(raised(play, heldout_rollouts=6), stoppers=(Once(4),))
    play.take(play.machine.feed(given, 0.0)).finish()
    assert (play.run.stopped.kind, play.run.stopped.value) == ("once", 4)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"iterations": 3}, r"would end again at once: max_generations of 3"),
        ({"iterations": 9, "train_rollouts": 30}, r"would end again at once: 28 of 30 rollouts are used"),
        ({"iterations": 9, "train_rollouts": 3}, r"on train_rollouts would fall from 1000 to 3, and 28 are"),
        (
            {"iterations": 9, "total_rollouts": 31},
            r"on total_rollouts would fall from None to 31, and 32 are spent or set aside",
        ),
        ({"iterations": 9, "proposals": 2}, r"on proposals would fall from None to 2, and 3 are"),
        ({"iterations": 9, "heldout_rollouts": 5}, r"need 6 rollouts, 2 for each of 3 .* the limit is 5"),
    ],
)
def test_limits_that_are_of_no_use_are_refused_and_nothing_changes(toy, limits, message):
    play = toy.play()
    run, before = play.run, (play.run.limits, play.run.finished, play.run.stopped, len(play.events))
    with pytest.raises(BudgetExceededError, match=message):
        extended(play, **{"heldout_rollouts": 6, **limits})
    assert (run.limits, run.finished, run.stopped, len(play.events)) == before
    assert play.machine.status is Status.FINISHED
    extended(play, iterations=4, heldout_rollouts=6).finish()
    assert run.iteration == 4


def test_a_stopper_that_would_end_it_at_once_is_named(toy):
    play = toy.play(toy.plan(limits={"iterations": None}), stoppers=[Once(2)])
    with pytest.raises(BudgetExceededError, match="would end again at once: once"):
        extended(play, train_rollouts=2000, heldout_rollouts=6)


def test_a_run_that_was_cancelled_or_failed_cannot_be_extended(toy):
    play = toy.Play(toy.plan()).start().cancel()
    with pytest.raises(StateTransitionError, match="is cancelled and cannot go on"):
        extended(play, iterations=9)
    failed = toy.play(world=toy.World(score=lambda _: toy.FAILED))
    with pytest.raises(StateTransitionError, match="is failed and cannot go on"):
        extended(failed, iterations=9)


def test_a_machine_that_was_not_started_takes_no_limits(toy):
    play = toy.Play(toy.plan())
    with pytest.raises(StateTransitionError, match="is new and cannot go on"):
        extended(play, iterations=9)


def test_a_reopened_run_can_be_cancelled(toy):
    play = toy.play()
    extended(play, iterations=9, heldout_rollouts=6)
    play.take(play.machine.feed(Cancel("enough"), 0.0))
    assert play.machine.status is Status.CANCELLED


@pytest.mark.parametrize(("measured", "reserve"), [(0, 10), (1, 10), (2, 15), (3, 20)])
def test_the_reserve_has_room_for_one_more_candidate(measured, reserve):
    assert heldout_reserve(5, measured) == reserve


def test_limits_of_a_run_are_those_of_its_plan_until_they_are_raised(toy):
    play = toy.play()
    assert play.run.limits is play.run.plan.limits
    assert isinstance(play.run.limits, Limits)
    extended(play, iterations=4, heldout_rollouts=6)
    assert play.run.limits != play.run.plan.limits


def test_heldout_rows_keep_their_rollouts_when_a_limit_on_money_is_lifted(toy):
    unknown = Usage(1, 1, 2, None)
    plan = toy.plan(heldout=3, limits={"cost_usd": 9.0, "total_rollouts": 31, "iterations": None})
    play = toy.play(plan, toy.World(usage=unknown))
    assert play.run.ledger.heldout_rollouts == 0
    limits = attrs.evolve(play.run.limits, cost_usd=None)
    play.take(play.machine.feed(Extend(limits), play.clock)).finish()
    assert play.run.ledger.heldout_rollouts == 6
    assert play.run.ledger.rollouts <= 31


def test_limits_without_room_for_the_heldout_rows_to_come_are_refused(toy):
    play = toy.play(toy.plan(heldout=5, limits={"total_rollouts": 27, "iterations": 1}))
    used = play.run.ledger.rollouts
    limits = attrs.evolve(play.run.limits, iterations=9, heldout_rollouts=99, total_rollouts=used + 8)
    with pytest.raises(BudgetExceededError, match="would end again at once"):
        play.machine.feed(Extend(limits), play.clock)
    limits = attrs.evolve(limits, total_rollouts=used + 8 + 5)
    assert play.take(play.machine.feed(Extend(limits), play.clock)).machine.pending


def test_what_heldout_rows_gave_does_not_steer_a_search_that_goes_on(toy):
    def rewarded(heldout):
        def score(command):
            return heldout if command.stage is Stage.HELDOUT else toy.by_text(command)

        play = toy.play(toy.plan(limits={"iterations": 2}), toy.World(score=score))
        limits = attrs.evolve(play.run.limits, iterations=4, heldout_rollouts=99)
        play.take(play.machine.feed(Extend(limits), play.clock)).finish()
        return [command.request for command in play.world.of(Propose)], play.run.perfect_score

    assert rewarded(0.5) == rewarded(1.5)
