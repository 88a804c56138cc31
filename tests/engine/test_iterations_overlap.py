from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gepa_framework.engine import Accepting, Estimates, Pipelining, Propose, Rollout, Selecting, Status
from gepa_framework.types import RolloutResult, RowsRequest, Stage, StopReason, Usage

DEAR = Usage(10, 10, 20, 1.0)


def pipelined(toy, in_flight=3, *, evaluations=1, limits=None, **changes):
    pipelining = changes.pop("pipelining", Pipelining(in_flight=in_flight, evaluations=evaluations))
    return toy.plan(pipelining=pipelining, limits={"iterations": 9, **(limits or {})}, **changes)


def begun(game):
    pending = game.machine.pending.values()
    rollouts = {command.iteration for command in pending if isinstance(command, Rollout)}
    return rollouts | {command.request.iteration for command in pending if isinstance(command, Propose)}


def refusing(toy):
    return toy.World(propose=lambda _: toy.ProposalFailure("no", "no"))


def searching(game):
    return game.until(lambda game: len(game.of("iteration.started")) > 0)


def test_as_many_iterations_are_begun_as_may_be_in_flight(toy):
    game = searching(toy.Play(pipelined(toy, 3)).start())
    assert begun(game) == {1, 2, 3}
    assert game.run.in_flight == 3


def test_another_iteration_is_begun_when_one_is_over(toy):
    game = searching(toy.Play(pipelined(toy, 2), refusing(toy)).start())
    first = [effect for effect in game.machine.pending if effect.startswith("rollout/1/")]
    for effect in (*first, "proposal/1"):
        game.complete(effect)
    assert begun(game) == {2, 3}


def test_iterations_in_flight_draw_minibatches_of_their_own_in_the_order_of_the_epoch(toy):
    game = searching(toy.Play(pipelined(toy, 2, train=4)).start())
    one, two = (set(body.rows) for body in game.of("iteration.started"))
    assert not one & two


@pytest.mark.parametrize("evaluations", [1, 2])
def test_only_so_many_full_evaluations_run_at_once(toy, evaluations):
    most = 0
    world = toy.World(propose=lambda request: f"{0.3 + request.iteration / 100}")
    game = toy.Play(pipelined(toy, 4, evaluations=evaluations), world).start()
    while not game.machine.status.terminal:
        full = {
            command.candidate.id
            for command in game.machine.pending.values()
            if isinstance(command, Rollout) and command.stage is Stage.FULL
        }
        most = max(most, len(full))
        rest = [e for e in game.machine.pending if f"/{Stage.FULL}/" not in e]
        game.complete(rest[0] if rest else next(iter(game.machine.pending)))
    assert most == evaluations
    assert len(game.of("candidate.evaluated")) == 1 + len(game.of("candidate.accepted"))


def test_a_stopper_lets_what_is_in_flight_finish_and_begins_nothing_more(toy):
    class After:
        def check(self, view):
            return StopReason("enough") if view.candidates > 1 else None

    game = searching(toy.Play(pipelined(toy, 3), stoppers=[After()]).start())

    def first(waiting):
        return next((e for e in waiting if "/1/" in e or e == "proposal/1"), waiting[0])

    game.until(lambda game: len(game.of("frontier.updated")) == 2, first)
    assert begun(game) == {2, 3}
    game.finish()
    assert len(game.of("iteration.started")) == 3
    assert game.of("gepa.stop")[0].kind == "enough"
    assert game.revoked == []


def test_time_ends_every_iteration_in_flight(toy):
    game = searching(toy.Play(pipelined(toy, 3, limits={"seconds": 5.0})).start())
    waiting = set(game.machine.pending)
    game.tick(6.0)
    assert set(game.revoked) == waiting
    assert game.run.budget.train == 0
    assert game.finish().machine.status is Status.FINISHED


def test_an_iteration_waits_for_what_another_may_give_back(toy):
    # The seed takes 4, each iteration at most 8: the second fits only after the first gave back 4.
    plan = pipelined(toy, 2, limits={"train_rollouts": 4 + 8 + 4})
    game = searching(toy.Play(plan, refusing(toy)).start())
    assert begun(game) == {1}
    game.until(lambda game: "proposal/1" in game.machine.pending).complete("proposal/1")
    assert begun(game) == {2}
    game.finish()
    assert game.of("gepa.stop")[0].kind == "max_train_rollouts"
    assert game.run.ledger.train_rollouts <= 16


def test_nothing_that_follows_is_paid_for_out_of_what_nobody_knows(toy):
    world = toy.World(usage=Usage(1, 1, 2, None))
    plan = pipelined(toy, 3, limits={"cost_usd": 100.0})
    game = searching(toy.Play(plan, toy.World(usage=DEAR)).start())
    game.world = world
    game.answers = {name: world.answer(command) for name, command in game.machine.pending.items()}
    game.finish()
    assert not world.of(Propose)
    stop = game.of("gepa.stop")[0]
    assert (stop.kind, stop.value) == ("max_cost_usd", None)
    assert "not known" in stop.message


def test_a_parked_evaluation_is_not_begun_out_of_what_nobody_knows(toy):
    world = toy.World(propose=lambda request: f"{0.3 + request.iteration / 100}", usage=DEAR)
    game = searching(toy.Play(pipelined(toy, 3, limits={"cost_usd": 1e6}), world).start())
    game.until(lambda game: len(game.of("candidate.accepted")) == 3, lambda waiting: min(waiting, key=_full))
    evaluated = game.of("candidate.accepted")[0].candidate_id
    for name in [name for name in game.machine.pending if evaluated in name]:
        game.complete(name, RolloutResult(reward=0.5, usage=Usage(1, 1, 2, None)))
    assert begun(game) == set() or game.awaiting(Stage.HELDOUT)
    full = {command.candidate.id for command in game.world.rollouts(Stage.FULL)}
    assert full == {evaluated}
    assert game.finish().run.in_flight == 0


def _full(effect):
    return f"/{Stage.FULL}/" in effect


@given(pick=st.randoms(use_true_random=False), cost=st.sampled_from([0.5, 1.0, 2.0]))
def test_money_is_never_passed_however_many_iterations_share_it(toy, pick, cost):
    estimates = Estimates(rollout=Usage(10, 10, 20, cost), proposal=Usage(10, 10, 20, cost))
    plan = pipelined(toy, 5, limits={"cost_usd": 60.0, "iterations": None}, estimates=estimates)
    world = toy.World(usage=Usage(10, 10, 20, cost))
    game = toy.Play(plan, world).start().finish(pick.choice)
    assert game.run.ledger.cost_usd <= 60.0
    assert game.machine.status is Status.FINISHED


def test_an_overlapped_search_finds_what_a_serial_one_finds(toy):
    plans = (toy.plan(limits={"iterations": 30}), pipelined(toy, 4, limits={"iterations": 30}))
    serial, overlapped = (toy.play(plan) for plan in plans)
    assert overlapped.events[-1].best_score == pytest.approx(serial.events[-1].best_score, abs=1.0)
    assert overlapped.events[-1].iterations == serial.events[-1].iterations == 30


@pytest.mark.parametrize("rule", ["strict_improvement", "improvement_or_equal"])
def test_a_child_that_can_no_longer_be_accepted_stops_costing_rollouts(toy, rule):
    plan = pipelined(
        toy,
        train=6,
        minibatch_size=6,
        perfect_score=1.0,
        accepting=Accepting(rule),
        selecting=Selecting("current_best"),
        pipelining=Pipelining(in_flight=2, speculative=True),
        limits={"iterations": 1},
    )
    world = toy.World(
        score=lambda command: 0.0 if command.candidate.components["prompt"] == "worse" else 0.9,
        propose=["worse"],
    )
    game = toy.play(plan, world)
    (rejected,) = game.of("candidate.rejected")
    assert rejected.reason.startswith("could not be accepted any more after 1 of 6 rows")
    assert len(game.revoked) == 5
    child = [body for body in game.of("rollout.completed") if body.stage == Stage.CHILD]
    assert len(child) == 1
    assert game.run.budget.train == 0


def test_what_rounding_could_turn_is_not_foretold(toy):
    rewards = {"train:0": (1.0, 0.7), "train:1": (0.3, 0.5), "train:2": (0.9, 1.0)}
    plan = pipelined(
        toy,
        train=3,
        minibatch_size=3,
        perfect_score=1.0,
        accepting=Accepting("improvement_or_equal"),
        pipelining=Pipelining(in_flight=2, speculative=True),
        limits={"iterations": 1},
    )
    world = toy.World(
        score=lambda command: rewards[command.row.id][command.candidate.components["prompt"] == "child"],
        propose=["child"],
        rows=lambda split, seed: toy.row("train" if split == "train" else split, seed),
    )
    plan = attrs.evolve(plan, heldout=RowsRequest("heldout", seeds=()))
    game = toy.play(plan, world)
    assert not [body for body in game.of("candidate.rejected") if "any more" in body.reason]


def test_without_a_declared_top_nothing_is_foretold(toy):
    plan = pipelined(
        toy,
        train=6,
        minibatch_size=6,
        pipelining=Pipelining(in_flight=2, speculative=True),
        limits={"iterations": 1},
    )
    world = toy.World(
        score=lambda command: 0.0 if command.candidate.components["prompt"] == "worse" else 0.9,
        propose=["worse"],
    )
    assert toy.play(plan, world).revoked == []
