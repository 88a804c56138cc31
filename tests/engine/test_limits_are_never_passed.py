from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gepa_framework.engine import FailedRollouts, Limits, ProposalFailure, Rollout, Selecting, Status
from gepa_framework.errors import BudgetExceededError
from gepa_framework.types import Stage, StopReason, Usage


def stopped(game):
    (stop,) = game.of("gepa.stop")
    return stop


def test_a_number_of_iterations_is_kept(toy):
    game = toy.play(toy.plan(limits={"iterations": 2}))
    stop = stopped(game)
    assert (stop.kind, stop.limit, stop.value, stop.iteration) == ("max_generations", 2, 2, 2)
    assert len(game.of("iteration.started")) == 2


def test_no_iteration_is_begun_that_may_not_be_finished(toy):
    # The seed takes 4, an iteration up to 2 + 2 + 4: two of them fit into 20, not into 19.
    for limit, iterations in ((20, 2), (19, 1), (12, 1), (11, 0)):
        game = toy.play(toy.plan(limits={"iterations": None, "train_rollouts": limit}))
        stop = stopped(game)
        assert (stop.kind, stop.limit, stop.iteration) == ("max_train_rollouts", limit, iterations)
        assert len(game.of("iteration.started")) == iterations
        assert stop.value == game.run.ledger.train_rollouts <= limit


def test_a_run_that_a_limit_ends_is_a_success_with_heldout_scores(toy):
    game = toy.play(toy.plan(limits={"train_rollouts": 4}))
    assert game.machine.status is Status.FINISHED
    assert len(game.of("heldout.completed")) == 1


@pytest.mark.parametrize(
    ("limit", "kind", "value"),
    [
        ({"cost_usd": 1.0}, "max_cost_usd", 1.0),
        ({"prompt_tokens": 20}, "max_prompt_tokens", 20),
        ({"completion_tokens": 8}, "max_completion_tokens", 8),
        ({"total_tokens": 28}, "max_total_tokens", 28),
    ],
)
def test_what_was_spent_ends_the_search(toy, limit, kind, value):
    world = toy.World(usage=Usage(5, 2, 7, 0.25))
    stop = stopped(toy.play(toy.plan(limits=limit), world))
    assert (stop.kind, stop.value, stop.iteration) == (kind, value, 0)
    assert stop.limit == next(iter(limit.values()))


@pytest.mark.parametrize(
    ("limit", "usage"),
    [
        ({"cost_usd": 9.0}, Usage(1, 1, 2, None)),
        ({"prompt_tokens": 900}, Usage(None, 1, 2, 0.0)),
        ({"completion_tokens": 900}, Usage(1, None, 2, 0.0)),
        ({"total_tokens": 900}, Usage(1, 1, None, 0.0)),
    ],
)
def test_a_limit_on_what_is_not_known_ends_the_search_rather_than_being_passed(toy, limit, usage):
    stop = stopped(toy.play(toy.plan(limits=limit), toy.World(usage=usage)))
    assert stop.value is None
    assert "not known" in stop.message


def test_time_ends_the_search_between_iterations(toy):
    game = toy.Play(toy.plan(limits={"seconds": 10.0})).start()
    game.until(lambda game: len(game.of("iteration.started")) == 2)
    game.clock = 10.5
    game.finish()
    stop = stopped(game)
    assert (stop.kind, stop.limit, stop.value, stop.iteration) == ("max_time_seconds", 10.0, 10.5, 2)
    assert len(game.of("candidate.accepted")) == 2


def test_limits_that_are_not_set_are_not_on_record():
    assert dict(Limits(train_rollouts=5, heldout_rollouts=2).fields()) == {
        "train_rollouts": 5,
        "heldout_rollouts": 2,
    }


@pytest.mark.parametrize(
    ("limits", "numbers"),
    [
        ({"train_rollouts": 3}, ("needs 4 rollouts", "has 3", "gepa.max_total_rollouts")),
        ({"train_rollouts": -2}, ("needs 4 rollouts", "has -2")),
        ({"heldout_rollouts": 3}, ("need 4 rollouts", "2 each", "and 3 are set aside")),
    ],
)
def test_a_budget_that_cannot_hold_the_least_is_refused_before_any_command(toy, limits, numbers):
    game = toy.Play(toy.plan(limits=limits)).start()
    assert game.commands == []
    assert game.machine.status is Status.FAILED
    assert isinstance(game.machine.failure, BudgetExceededError)
    assert game.types == ["gepa.run.started", "gepa.run.failed"]
    assert game.events[-1].error_code == "gepa_budget_exceeded"
    for number in numbers:
        assert number in game.events[-1].message


def test_a_budget_is_held_against_the_pareto_rows_where_they_are_named(toy):
    plan = toy.plan(train=50, pareto=("train:0", "train:1"), limits={"train_rollouts": 2})
    assert toy.play(plan).machine.status is Status.FINISHED


def test_the_first_stopper_that_says_stop_gives_the_reason(toy):
    class Never:
        def check(self, view):
            return None

    class After:
        def __init__(self, name, iterations):
            self.name, self.iterations = name, iterations

        def check(self, view):
            if view.iteration < self.iterations:
                return None
            return StopReason(self.name, self.iterations, view.iteration, "that will do")

    game = toy.play(stoppers=[Never(), After("late", 2), After("later", 2)])
    stop = stopped(game)
    assert (stop.kind, stop.limit, stop.value, stop.message) == ("late", 2, 2, "that will do")


def test_stoppers_see_the_run_as_it_stands_between_iterations(toy):
    views = []

    class Watch:
        def check(self, view):
            views.append(view)

    world = toy.World(propose=["0.4", "0.1", "0.15"], usage=Usage(1, 1, 2, 0.25))
    game = toy.play(toy.plan(selecting=Selecting("current_best")), world, [Watch()])
    assert [view.iteration for view in views] == [0, 1, 2]
    assert [view.rollouts for view in views] == [4, 12, 16]
    assert [view.candidates for view in views] == [1, 2, 2]
    assert [view.best_score for view in views] == pytest.approx([0.2, 0.4, 0.4])
    assert [view.iterations_since_improvement for view in views] == [0, 0, 1]
    assert [view.cost_usd for view in views] == [1.0, 3.25, 4.5]
    assert views[1].best_candidate_id == game.run.pool.best.candidate.id


def test_hard_limits_come_before_stoppers(toy):
    class Always:
        def check(self, view):
            return StopReason("mine")

    assert (
        stopped(toy.play(toy.plan(limits={"iterations": 0}), stoppers=[Always()])).kind == "max_generations"
    )


_OUTCOMES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, None]), min_size=1, max_size=30)


@given(
    train=st.integers(1, 12),
    heldout=st.integers(0, 4),
    spare=st.integers(0, 60),
    size=st.integers(1, 6),
    pareto=st.integers(0, 12),
    outcomes=_OUTCOMES,
    policy=st.sampled_from(FailedRollouts),
    refusals=st.integers(1, 4),
)
def test_no_run_whatever_happens_passes_its_rollouts(
    toy, *, train, heldout, spare, size, pareto, outcomes, policy, refusals
):
    named = tuple(f"train:{n}" for n in range(min(pareto, train)))
    limit = (len(named) or train) + spare
    plan = toy.plan(
        train=train,
        heldout=heldout,
        pareto=named,
        minibatch_size=size,
        failed_rollouts=policy,
        failure_tolerance=1.0,
        selecting=Selecting("pareto"),
        limits={"train_rollouts": limit, "iterations": 40},
    )
    turn = iter(range(10**6))

    def score(command):
        reward = outcomes[next(turn) % len(outcomes)]
        return toy.FAILED if reward is None else reward

    def propose(request):
        if request.iteration % refusals == refusals - 1 and refusals > 1:
            return ProposalFailure("tired", "not now")
        return f"text {request.iteration}"

    world = toy.World(score=score, propose=propose)
    game = toy.play(plan, world)
    searched = [command for command in world.of(Rollout) if command.stage is not Stage.HELDOUT]
    assert len(searched) <= limit
    assert len(world.rollouts(Stage.HELDOUT)) <= 2 * heldout
    assert game.machine.status in (Status.FINISHED, Status.FAILED)
    if game.machine.status is Status.FINISHED:
        assert game.events[-1].rollouts == len(world.of(Rollout)) == game.run.ledger.rollouts
    accepted = [body.iteration for body in game.of("candidate.accepted")]
    evaluated = [body.iteration for body in game.of("candidate.evaluated")]
    if policy is not FailedRollouts.STOP:
        assert evaluated[1:] == accepted
