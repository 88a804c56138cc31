from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gepa_framework.builtin.max_iterations import MaxIterations
from gepa_framework.builtin.no_improvement import NoImprovement
from gepa_framework.engine import Abandoned, FailedRollouts, Propose, Status, Tick
from gepa_framework.errors import CancelledError
from gepa_framework.types import Stage, StopReason


class Deadline:
    def __init__(self, seconds):
        self.seconds = seconds

    def check(self, view):
        if view.elapsed_seconds < self.seconds:
            return None
        return StopReason("deadline", self.seconds, view.elapsed_seconds, "time is up")


def in_stage(toy, stage, *, iteration=1, plan=None, stoppers=(), world=None):
    """Play until the rollouts of a stage of an iteration are awaited."""
    game = toy.Play(plan or toy.plan(), world, stoppers).start()
    head = f"rollout/{iteration}/{stage}"
    return game.until(lambda game: any(effect.startswith(head) for effect in game.machine.pending))


def test_a_stopper_that_reads_the_time_ends_the_search_in_mid_batch(toy):
    game = in_stage(toy, Stage.FULL, stoppers=[Deadline(5.0)])
    waiting = list(game.machine.pending)
    assert game.tick(4.9).machine.pending.keys() == set(waiting)
    game.tick(5.0)
    assert game.revoked == waiting
    (stop,) = game.of("gepa.stop")
    assert (stop.kind, stop.value, stop.iteration) == ("deadline", 5.0, 1)
    assert game.types[-2:] == ["gepa.stop", "heldout.started"]
    assert game.finish().machine.status is Status.FINISHED


@pytest.mark.parametrize("heldout", [0, 2])
def test_what_follows_waits_until_it_is_known_what_had_begun(toy, heldout):
    game = in_stage(toy, Stage.FULL, plan=toy.plan(heldout=heldout), stoppers=[Deadline(5.0)])
    first, *_ = game.machine.pending
    step = game.machine.feed(Tick(), 5.0)
    assert (step.commands, step.events, dict(game.machine.pending)) == ((), (), {})
    assert game.machine.status is Status.RUNNING
    step = game.machine.feed(Abandoned((first,)), 5.0)
    assert [body.type for body in step.events[:2]] == ["work.abandoned", "gepa.stop"]
    assert bool(step.commands) == bool(heldout)
    assert game.run.ledger.abandoned_rollouts == 1
    assert (game.machine.status is Status.FINISHED) == (not heldout)


def test_a_time_limit_ends_the_search_in_mid_batch(toy):
    game = in_stage(toy, Stage.CHILD, plan=toy.plan(limits={"seconds": 3.0}))
    assert game.tick(3.5).of("gepa.stop")[0].kind == "max_time_seconds"


def test_what_is_in_when_the_search_ends_stays_in_the_books(toy):
    game = in_stage(toy, Stage.FULL, stoppers=[Deadline(5.0)])
    before = game.run.ledger.train_rollouts
    first, _, third, last = game.machine.pending
    game.complete(third).complete(first)
    assert game.run.ledger.train_rollouts == before + 1
    game.tick(6.0)
    assert game.run.ledger.train_rollouts == before + 2
    assert [body.row_id for body in game.of("rollout.completed")[-2:]] == ["train:0", "train:2"]
    assert last in game.revoked
    assert third not in game.revoked


def test_a_child_whose_evaluation_was_cut_short_is_not_in_the_pool(toy):
    game = in_stage(toy, Stage.FULL, stoppers=[Deadline(5.0)])
    game.tick(5.0).finish()
    assert game.events[-1].best_candidate_id == game.run.seed.id
    assert game.events[-1].candidates == 1


def test_a_proposal_under_way_is_taken_back(toy):
    game = toy.Play(toy.plan(), stoppers=[Deadline(1.0)]).start()
    game.until(lambda game: any(isinstance(c, Propose) for c in game.machine.pending.values()))
    assert game.tick(1.0).revoked == ["proposal/1"]


def test_time_does_not_end_set_up_the_seed_or_heldout(toy):
    game = toy.Play(toy.plan(limits={"seconds": 1.0}), stoppers=[Deadline(0.0)]).start()
    for _ in range(4):
        assert game.tick(game.clock + 10.0).revoked == []
        game.complete(*game.machine.pending)
    assert game.awaiting(Stage.SEED)
    assert game.tick(99.0).revoked == []
    game.until(lambda game: game.awaiting(Stage.HELDOUT))
    assert game.tick(999.0).revoked == []
    assert game.finish().machine.status is Status.FINISHED


def test_a_tick_says_nothing_while_time_is_left(toy):
    game = in_stage(toy, Stage.PARENT, stoppers=[Deadline(5.0)])
    step_before = list(game.events)
    assert game.tick(1.0).events == step_before


@pytest.mark.parametrize("stage", [Stage.PARENT, Stage.CHILD, Stage.FULL])
def test_a_tick_does_not_cut_the_last_iteration_short(toy, stage):
    game = in_stage(toy, stage, plan=toy.plan(limits={"iterations": 1, "seconds": 100.0}))
    assert game.tick(1.0).revoked == []
    assert len(game.finish().of("candidate.accepted")) == 1


@pytest.mark.parametrize("stage", [Stage.PARENT, Stage.CHILD, Stage.FULL])
def test_a_tick_does_not_take_back_rollouts_that_were_set_aside_for_the_iteration(toy, stage):
    plan = toy.plan(limits={"train_rollouts": 12, "seconds": 100.0})
    game = in_stage(toy, stage, plan=plan)
    game.complete(next(iter(game.machine.pending)))
    assert game.tick(1.0).revoked == []
    assert len(game.finish().of("candidate.accepted")) == 1


def test_a_tick_does_not_make_an_iteration_count_before_it_is_over(toy):
    game = in_stage(toy, Stage.FULL, stoppers=[MaxIterations(1), Deadline(100.0)])
    assert game.tick(1.0).revoked == []
    assert game.finish().of("gepa.stop")[0].kind == "max_iterations"


def test_a_tick_does_not_count_the_iteration_under_way_as_one_without_improvement(toy):
    game = in_stage(toy, Stage.FULL, stoppers=[NoImprovement(1)])
    assert game.tick(1.0).revoked == []
    assert game.finish().machine.status is Status.FINISHED
    assert len(game.of("iteration.started")) == 3


def test_ticks_that_end_nothing_change_no_event(toy):
    plain = toy.play()
    game = toy.Play(toy.plan(limits={"seconds": 1e9}), stoppers=[Deadline(1e9)]).start()
    while not game.machine.status.terminal:
        game.tick(game.clock + 1.0)
        game.complete(next(iter(game.machine.pending)))
    assert game.events[1:] == plain.events[1:]


def test_the_search_may_end_in_mid_batch_without_heldout_rows(toy):
    game = in_stage(toy, Stage.CHILD, plan=toy.plan(heldout=0), stoppers=[Deadline(5.0)])
    game.tick(5.0)
    assert game.machine.status is Status.FINISHED
    assert game.types[-1] == "gepa.run.finished"


def test_a_cancel_ends_the_run_for_good(toy):
    game = in_stage(toy, Stage.CHILD)
    waiting = list(game.machine.pending)
    game.cancel("changed my mind")
    assert game.machine.status is Status.CANCELLED
    assert isinstance(game.machine.failure, CancelledError)
    assert game.machine.failure.message == "the run was cancelled: changed my mind"
    assert (game.types[-1], game.events[-1].reason) == ("gepa.run.cancelled", "changed my mind")
    assert game.revoked == waiting
    assert dict(game.machine.pending) == {}


def test_what_is_in_when_a_run_is_cancelled_stays_in_the_books(toy):
    game = in_stage(toy, Stage.FULL)
    last = list(game.machine.pending)[-1]
    before = game.run.ledger.train_rollouts
    game.complete(last).cancel()
    assert game.run.ledger.train_rollouts == before + 1
    assert game.types[-2:] == ["rollout.completed", "gepa.run.cancelled"]


def test_a_cancel_is_a_cancel_even_where_what_is_in_would_fail_the_run(toy):
    plan = toy.plan(failed_rollouts=FailedRollouts.STOP)
    game = in_stage(toy, Stage.FULL, plan=plan)
    last = list(game.machine.pending)[-1]
    game.complete(last, toy.FAILED).cancel()
    assert game.machine.status is Status.CANCELLED
    assert game.types[-2:] == ["rollout.failed", "gepa.run.cancelled"]


@given(after=st.integers(0, 36), pick=st.randoms(use_true_random=False))
def test_a_run_can_be_cancelled_at_every_point(toy, after, pick):
    game = toy.Play(toy.plan()).start()
    for _ in range(after):
        if not game.machine.status.terminal:
            game.complete(pick.choice(list(game.machine.pending)))
    if game.machine.status.terminal:
        return
    done = sum(c.effect_id not in game.machine.pending for c in game.world.rollouts())
    game.cancel()
    assert game.machine.status is Status.CANCELLED
    assert game.types.count("gepa.run.cancelled") == 1
    assert game.types[-1] == "gepa.run.cancelled"
    assert game.run.ledger.rollouts == done


@given(after=st.integers(0, 36), pick=st.randoms(use_true_random=False))
def test_a_search_can_be_ended_by_time_at_every_point(toy, after, pick):
    game = toy.Play(toy.plan(), stoppers=[Deadline(5.0)]).start()
    for _ in range(after):
        if not game.machine.status.terminal:
            game.complete(pick.choice(list(game.machine.pending)))
    if game.machine.status.terminal:
        return
    done = sum(c.effect_id not in game.machine.pending for c in game.world.rollouts())
    game.tick(6.0)
    assert game.run.ledger.rollouts >= done - 3
    game.finish()
    assert game.machine.status is Status.FINISHED
    assert game.types.count("gepa.stop") == 1
    assert game.run.ledger.rollouts == len(game.world.rollouts()) - sum(
        effect.startswith("rollout/") for effect in game.revoked
    )
