from __future__ import annotations

import pytest

from gepa_framework.engine import Completed, Price, Prices, ProposalFailure, Rollout, Status
from gepa_framework.types import FailureKind, Proposal, RolloutFailure, RolloutResult, Usage

#: Dollars for a token read and for one written, times a million.
PRICES = Prices(
    models={
        ("us", "small"): Price(1_000_000, 2_000_000),
        ("us", "large"): Price(10_000_000, 20_000_000),
        ("them", "writer"): Price(100_000_000, 200_000_000),
    },
    rollout=("us", "small"),
    proposer=("them", "writer"),
)
TOKENS = Usage(3, 1, 4)


def usage(**changes):
    return Usage(**{"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4, **changes})


def seed_only(toy, given, *, prices=PRICES):
    """Play the seed's evaluation and the heldout rows, four and two rollouts, with one usage."""
    world = toy.World(usage=given)
    return toy.play(toy.plan(prices=prices, limits={"iterations": 0}), world)


@pytest.mark.parametrize(
    ("given", "each"),
    [
        (usage(), 5.0),
        (usage(model="small"), 5.0),
        (usage(model="large"), 50.0),
        (usage(cost_usd=0.25), 0.25),
        (usage(cost_usd=0.0), 0.0),
        (usage(cost_usd=0.25, model="large"), 0.25),
        (usage(model="unheard of"), None),
        (usage(model="writer"), None),
        (usage(prompt_tokens=None), None),
        (usage(completion_tokens=None), None),
    ],
)
def test_a_rollout_costs_what_its_tokens_do_where_nobody_says(toy, given, each):
    game = seed_only(toy, given)
    assert {body.cost_usd for body in game.of("rollout.completed")} == {each}
    ledger = game.run.ledger
    assert ledger.cost_usd == (None if each is None else 6 * each)
    assert ledger.unpriced == (("container.rollout x 6",) if each is None else ())


def test_without_prices_unknown_stays_unknown(toy):
    game = seed_only(toy, TOKENS, prices=Prices())
    assert game.run.ledger.unpriced == ("container.rollout x 6",)
    assert game.events[-1].cost_usd is None


@pytest.mark.parametrize(
    ("outcome", "cost"),
    [
        (Proposal({"prompt": "0.9"}, usage=TOKENS), 500.0),
        (Proposal({"prompt": "0.9"}, usage=TOKENS, model="writer"), 500.0),
        (Proposal({"prompt": "0.9"}, usage=TOKENS, model="small"), None),
        (Proposal({"prompt": "0.9"}, usage=usage(cost_usd=0.5)), 0.5),
        (ProposalFailure("tired", "not now", TOKENS), 500.0),
        (ProposalFailure("tired", "not now"), None),
    ],
)
def test_a_proposal_costs_what_its_tokens_do_where_nobody_says(toy, outcome, cost):
    world = toy.World(propose=lambda _: outcome)
    game = toy.play(toy.plan(prices=PRICES, limits={"iterations": 1}), world)
    assert game.run.ledger.cost_usd == cost
    assert game.run.ledger.unpriced == (() if cost is not None else ("proposer x 1",))
    assert [body.cost_usd for body in game.of("proposer.completed")] == (
        [] if isinstance(outcome, ProposalFailure) else [cost]
    )


def test_what_failed_is_paid_for_by_its_tokens(toy):
    broken = RolloutFailure(FailureKind.CONTAINER, "broke", "it broke", usage=TOKENS)
    plan = toy.plan(prices=PRICES, failure_tolerance=1.0, limits={"iterations": 0})
    score = {0: broken, 1: RolloutFailure(FailureKind.CONTAINER, "broke", "it broke")}
    game = toy.play(plan, toy.World(score=lambda command: score.get(command.row.seed, 0.5)))
    assert game.machine.status is Status.FINISHED
    assert game.run.ledger.cost_usd is None
    assert game.run.ledger.unpriced == ("container.rollout x 1",)
    assert game.run.ledger.known("prompt_tokens") is None


def test_attempts_that_another_took_the_place_of_are_paid_for_by_their_tokens(toy):
    game = toy.Play(toy.plan(prices=PRICES, limits={"iterations": 0})).start()
    game.until(lambda game: any(isinstance(c, Rollout) for c in game.machine.pending.values()))
    effect = next(iter(game.machine.pending))
    before = (TOKENS, usage(model="large"), usage(cost_usd=0.25))
    game.take(game.machine.feed(Completed(effect, game.answers[effect], before), 0.0))
    game.finish()
    assert game.run.ledger.cost_usd == 5.0 + 50.0 + 0.25
    assert (game.run.ledger.superseded_attempts, game.run.ledger.unpriced) == (3, ())
    assert game.events[-1].cost_usd == 0.0


def test_a_price_makes_a_limit_on_money_hold_where_nobody_says_what_a_call_costs(toy):
    world = toy.World(usage=usage(model="small"), propose=lambda _: Proposal({"prompt": "1"}, usage=TOKENS))
    game = toy.play(toy.plan(prices=PRICES, limits={"cost_usd": 25.0}), world)
    (stop,) = game.of("gepa.stop")
    assert (stop.kind, stop.limit, stop.value) == ("max_cost_usd", 25.0, 20.0)
    assert game.run.ledger.cost_usd == 20.0
    assert "US dollars" in game.of("heldout.started")[0].reason


def test_what_cannot_be_priced_ends_the_search_under_a_limit_on_money(toy):
    def score(command):
        return RolloutResult(reward=0.5, usage=usage(model="unheard of"))

    game = toy.play(toy.plan(prices=PRICES, limits={"cost_usd": 1e6}), toy.World(score=score))
    (stop,) = game.of("gepa.stop")
    assert (stop.kind, stop.value, stop.iteration) == ("max_cost_usd", None, 0)
