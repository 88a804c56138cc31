from __future__ import annotations

import pytest

from gepa_framework.engine import Estimates, Status
from gepa_framework.errors import BudgetExceededError
from gepa_framework.types import Usage

#: The toy's least: 4 rollouts for the seed, 2 x 2 heldout ones.
ESTIMATES = Estimates(rollout=Usage(10, 5, 16, 0.01), proposal=Usage(1000, 1000, 2000, 9.0), attempts=3)


def refused(toy, **limits):
    game = toy.Play(toy.plan(estimates=ESTIMATES, limits=limits)).start()
    if game.machine.status is not Status.FAILED:
        return None
    assert isinstance(game.machine.failure, BudgetExceededError)
    assert game.commands == []
    return game.machine.failure


@pytest.mark.parametrize(
    ("name", "least", "shown"),
    [
        ("cost_usd", 0.24, "may take $0.24, 3 attempts at $0.01 for each rollout, and max_cost_usd is $0.23"),
        (
            "prompt_tokens",
            240,
            (
                "may take 240 prompt tokens, 3 attempts at 10 prompt tokens for each rollout, and "
                "max_prompt_tokens is 239 prompt tokens"
            ),
        ),
        (
            "completion_tokens",
            120,
            (
                "may take 120 completion tokens, 3 attempts at 5 completion tokens for each rollout, and "
                "max_completion_tokens is 119 completion tokens"
            ),
        ),
        (
            "total_tokens",
            384,
            (
                "may take 384 tokens, 3 attempts at 16 tokens for each rollout, and "
                "max_total_tokens is 383 tokens"
            ),
        ),
    ],
)
def test_a_limit_that_cannot_hold_the_least_is_refused_with_the_numbers(toy, name, least, shown):
    error = refused(toy, **{name: least - (0.01 if name == "cost_usd" else 1)})
    head = "the seed's evaluation (4 rollouts) and the heldout rows (4) "
    assert str(error.message) == head + shown
    assert error.hint == (
        f"raise gepa.max_{name}, lower gepa.rollout_estimated_{name} or gepa.max_rollout_attempts, "
        "or name fewer rows"
    )
    assert refused(toy, **{name: least}) is None


def test_a_total_that_cannot_hold_seed_and_heldout_is_refused_with_the_numbers(toy):
    given = {"train_rollouts": 3, "heldout_rollouts": 7}
    error = refused(toy, total_rollouts=7, **given)
    assert error.message == (
        "the seed's evaluation needs 4 rollouts, one for each Pareto row, the heldout rows need 4 rollouts, "
        "2 each for the seed and the best candidate: 8 in all, and max_total_rollouts is 7"
    )
    assert error.hint == "raise gepa.max_total_rollouts, or name fewer rows"
    assert refused(toy, total_rollouts=8, train_rollouts=4, heldout_rollouts=8) is None


def test_a_total_is_never_passed_and_named_when_it_ends_the_search(toy):
    # The seed takes 4, the heldout rows up to 4, an iteration up to 8.
    for total, iterations in ((15, 0), (16, 1), (23, 1), (24, 2)):
        limits = {"total_rollouts": total, "train_rollouts": total - 4, "heldout_rollouts": total}
        game = toy.play(toy.plan(limits={**limits, "iterations": None}))
        (stop,) = game.of("gepa.stop")
        assert (stop.kind, stop.limit, stop.iteration) == ("max_total_rollouts", total, iterations)
        assert game.run.ledger.rollouts <= total


def test_without_estimates_there_is_nothing_to_refuse_by(toy):
    game = toy.Play(toy.plan(limits={"cost_usd": 0.01, "total_tokens": 1})).start()
    assert game.machine.status is not Status.FAILED
