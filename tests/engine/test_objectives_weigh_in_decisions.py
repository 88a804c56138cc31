from __future__ import annotations

import pytest

from gepa_framework.engine import Accepting, Status, Weighing
from gepa_framework.types import FREE, RolloutResult, Stage

OBJECTIVES = {"speed": "maximize", "cost": "minimize"}


def measured(reward, *, missing=False):
    """Score each candidate by its text; the first text is the seed's."""

    def score(command):
        seed = command.candidate.components["prompt"] == "0.2"
        objectives = {"speed": 0.5, "cost": 3.0 if seed else 2.0}
        if missing and (command.stage is Stage.SEED or command.row.seed == 0):
            objectives = {}
        return RolloutResult(reward=0.5 if seed else reward, objectives=objectives, usage=FREE)

    return score


def decide(toy, criterion, reward, *, missing=False, **changes):
    plan = toy.plan(
        objectives=OBJECTIVES,
        perfect_score=2.0,
        weighing=Weighing(criterion, protected=("speed",)),
        limits={"iterations": 1},
        **changes,
    )
    game = toy.play(plan, toy.World(score=measured(reward, missing=missing)))
    assert game.machine.status is Status.FINISHED
    return game


@pytest.mark.parametrize(
    ("criterion", "reward", "accepted"),
    [
        ("primary", 0.6, True),
        ("primary", 0.4, False),
        ("primary_or_objective", 0.4, True),
        ("any_objective_improved", 0.4, True),
        ("protected_objective_guard", 0.6, True),
        ("protected_objective_guard", 0.4, False),
    ],
)
def test_objectives_weigh_in_where_the_frontier_is_made_of_rows(toy, criterion, reward, accepted):
    game = decide(toy, criterion, reward)
    assert len(game.of("candidate.accepted")) == accepted
    assert len(game.of("candidate.rejected")) == (not accepted)
    assert game.run.pool.frontier.kind == "instance"
    assert len(game.of("frontier.updated")[0].improved) == 4


def test_the_frontier_of_rows_goes_by_the_reward_alone(toy):
    game = decide(toy, "any_objective_improved", 0.4)
    assert game.of("candidate.accepted")
    assert game.of("frontier.updated")[-1].improved == ()
    assert game.run.pool.best.candidate.id == game.run.seed.id


def test_a_candidate_whose_objectives_are_not_reported_is_ranked_by_its_rewards(toy):
    game = decide(toy, "primary_or_objective", 0.4, missing=True, train=4, minibatch_size=4)
    assert game.of("candidate.evaluated")[0].coverage == 4
    assert game.of("candidate.accepted")


def test_objectives_that_fall_turn_a_better_reward_down(toy):
    plan = toy.plan(
        objectives=OBJECTIVES,
        perfect_score=2.0,
        weighing=Weighing("protected_objective_guard", tolerance=0.5, protected=("cost",)),
        limits={"iterations": 1},
    )

    def score(command):
        seed = command.candidate.components["prompt"] == "0.2"
        return RolloutResult(
            reward=0.5 if seed else 0.9, objectives={"speed": 1.0, "cost": 1.0 if seed else 2.0}, usage=FREE
        )

    game = toy.play(plan, toy.World(score=score))
    (body,) = game.of("candidate.rejected")
    assert (body.before, body.after) == (1.0, 1.8)


def test_objectives_weigh_in_on_the_further_rows_of_a_sequential_rule(toy):
    rule = Accepting("sequential", confidence=0.85, power=0.5, max_rows=24)
    game = decide(toy, "any_objective_improved", 0.5, train=24, accepting=rule)
    (body,) = game.of("candidate.accepted")
    assert body.rows > 2
