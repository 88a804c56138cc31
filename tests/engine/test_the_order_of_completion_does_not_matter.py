from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gepa_framework.engine import Completed
from gepa_framework.errors import StateTransitionError
from gepa_framework.types import Usage


def noisy(toy):
    """Give a world whose answers depend on what is asked alone, failures included."""

    def score(command):
        lot = sum(map(ord, command.effect_id)) % 11
        return toy.FAILED if lot == 0 else lot / 10

    def propose(request):
        if request.iteration % 4 == 0:
            return toy.ProposalFailure("busy", "later")
        return f"text {request.iteration // 2}"

    return toy.World(score=score, propose=propose, usage=Usage(3, 4, 7, 0.1))


def noisy_plan(toy):
    return toy.plan(train=6, minibatch_size=3, failure_tolerance=1.0, limits={"iterations": 6})


@pytest.fixture(scope="module")
def in_order(toy):
    return toy.play(noisy_plan(toy), noisy(toy))


@given(pick=st.randoms(use_true_random=False))
def test_any_order_gives_the_same_events_and_commands(toy, in_order, pick):
    game = toy.Play(noisy_plan(toy), noisy(toy)).start().finish(pick.choice)
    assert game.events == in_order.events
    assert [c.effect_id for c in game.commands] == [c.effect_id for c in in_order.commands]
    assert game.run.ledger == in_order.run.ledger


def test_the_last_first_gives_the_same_events(toy, in_order):
    game = toy.Play(noisy_plan(toy), noisy(toy)).start().finish(lambda waiting: waiting[-1])
    assert game.events == in_order.events


@given(pick=st.randoms(use_true_random=False))
def test_an_outcome_told_twice_is_refused_and_does_no_harm(toy, in_order, pick):
    game = toy.Play(noisy_plan(toy), noisy(toy)).start()
    told = []
    while not game.machine.status.terminal:
        if told and pick.random() < 0.3:
            again = pick.choice(told)
            with pytest.raises(StateTransitionError, match="no outcome of"):
                game.complete(again)
        told.append(pick.choice(list(game.machine.pending)))
        game.complete(told[-1])
    assert game.events == in_order.events


@given(pick=st.randoms(use_true_random=False))
def test_ticks_in_between_change_nothing(toy, in_order, pick):
    game = toy.Play(noisy_plan(toy), noisy(toy)).start()
    while not game.machine.status.terminal:
        if pick.random() < 0.3:
            game.tick(game.clock + pick.random())
        game.complete(pick.choice(list(game.machine.pending)))
    assert game.events == in_order.events


def test_events_come_as_soon_as_all_before_them_are_in(toy):
    game = toy.Play(toy.plan()).start().until(lambda game: len(game.machine.pending) == 4)
    first, second, third, fourth = game.machine.pending
    seen = []
    for effect in (third, first, fourth, second):
        before = len(game.events)
        game.complete(effect)
        seen.append([body.row_id for body in game.events[before:] if body.type == "rollout.completed"])
    assert seen[:3] == [[], ["train:0"], []]
    assert seen[3][:3] == ["train:1", "train:2", "train:3"]


def test_an_outcome_that_was_never_asked_for_is_refused(toy):
    game = toy.Play(toy.plan()).start()
    with pytest.raises(StateTransitionError, match="'rollout/9/nonsense' is awaited"):
        game.machine.feed(Completed("rollout/9/nonsense", toy.FAILED), 0.0)


def test_a_machine_is_started_once(toy):
    game = toy.Play(toy.plan()).start()
    with pytest.raises(StateTransitionError, match="started twice"):
        game.machine.start()


def test_a_machine_that_was_not_started_takes_no_input(toy):
    game = toy.Play(toy.plan())
    with pytest.raises(StateTransitionError, match="is new and takes no input"):
        game.tick(1.0)


@pytest.mark.parametrize("end", ["finished", "failed", "cancelled"])
def test_a_machine_that_has_ended_takes_no_input(toy, end):
    if end == "finished":
        game = toy.play()
    elif end == "failed":
        game = toy.play(toy.plan(limits={"train_rollouts": 1}))
    else:
        game = toy.Play(toy.plan()).start().cancel()
    for give in (lambda: game.tick(1.0), game.cancel, lambda: game.complete("container/metadata", toy.INFO)):
        with pytest.raises(StateTransitionError, match=f"is {end} and takes no input"):
            give()
    assert game.machine.status.value == end


@pytest.mark.parametrize("effect", ["container/metadata", "container/program", "container/rows/train"])
def test_an_outcome_of_the_wrong_sort_is_an_error_of_ours(toy, effect):
    game = toy.Play(toy.plan()).start().until(lambda game: effect in game.machine.pending)
    game.complete(effect, toy.FAILED)
    assert game.events[-1].error_code == "gepa_invariant_error"


def test_a_rollout_that_comes_back_as_something_else_is_an_error_of_ours(toy):
    game = toy.Play(toy.plan()).start().until(lambda game: len(game.machine.pending) == 4)
    game.complete(next(iter(game.machine.pending)), toy.INFO)
    assert game.events[-1].error_code == "gepa_invariant_error"
    assert "a rollout came back as ContainerInfo" in game.events[-1].message


def test_a_proposal_that_comes_back_as_something_else_is_an_error_of_ours(toy):
    game = toy.Play(toy.plan()).start().until(lambda game: "proposal/1" in game.machine.pending)
    game.complete("proposal/1", toy.INFO)
    assert game.events[-1].error_code == "gepa_invariant_error"
