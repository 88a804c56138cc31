from __future__ import annotations

import pytest

from gepa_framework.engine import Pipelining, Propose
from gepa_framework.types import FREE, Proposal, Stage


@pytest.fixture
def overtaken(toy):
    """Play until the proposal of iteration 2 comes back, after that of iteration 1 has joined the pool."""

    def play(staleness, *, delta_max=0, again=None):
        def propose(request):
            if request.overtaken is not None:
                return again(request)
            return Proposal({"prompt": f"0.{2 + request.iteration}"}, usage=FREE)

        plan = toy.plan(
            pipelining=Pipelining(in_flight=2, staleness=staleness, delta_max=delta_max),
            limits={"iterations": 2},
        )
        game = toy.Play(plan, toy.World(propose=propose)).start()

        def others(waiting):
            return next((effect for effect in waiting if not effect.startswith("proposal/2")), waiting[0])

        game.until(lambda game: list(game.machine.pending) == ["proposal/2"], others)
        assert len(game.run.pool.members) == 2
        return game.finish()

    return play


def tried(game):
    return {
        command.candidate.components["prompt"]
        for command in game.world.rollouts(Stage.CHILD)
        if command.iteration == 2
    }


def test_full_takes_an_overtaken_proposal_as_it_is(overtaken):
    game = overtaken("full")
    assert tried(game) == {"0.4"}
    assert game.of("proposal.overtaken") == []


def test_guarded_drops_it_before_a_rollout_is_spent(overtaken):
    game = overtaken("guarded")
    (body,) = game.of("proposal.overtaken")
    assert (body.iteration, body.parent_id, body.joined, body.action) == (2, game.run.seed.id, 1, "dropped")
    assert tried(game) == set()
    assert len(game.world.of(Propose)) == 2
    assert game.run.budget.proposals == game.run.budget.train == 0


@pytest.mark.parametrize("staleness", ["guarded", "reflective"])
def test_a_proposal_that_is_not_too_far_behind_is_taken(overtaken, staleness):
    game = overtaken(staleness, delta_max=1)
    assert tried(game) == {"0.4"}
    assert game.of("proposal.overtaken") == []


def test_what_was_dropped_may_be_proposed_again(overtaken):
    game = overtaken("guarded")
    assert game.run.seed.evolve({"prompt": "0.4"}).id not in game.run.pool.known


def test_reflective_sends_it_back_with_what_has_changed(overtaken):
    asked = []

    def again(request):
        asked.append(request)
        return Proposal({"prompt": "0.9"}, usage=FREE)

    game = overtaken("reflective", again=again)
    (request,) = asked
    assert request.proposal_id == "proposal/2/again"
    assert dict(request.overtaken.texts) == {"prompt": "0.4"}
    (joined,) = request.overtaken.joined
    assert (joined.iteration, dict(joined.changes)) == (1, {"prompt": "0.3"})
    assert joined.score == pytest.approx(0.3)
    assert game.of("proposal.overtaken")[0].action == "sent_back"
    assert tried(game) == {"0.9"}


def test_a_proposer_may_withdraw_what_was_overtaken(overtaken):
    game = overtaken("reflective", again=lambda _: Proposal({}, usage=FREE))
    assert tried(game) == set()
    assert game.of("iteration.skipped")[-1].iteration == 2


def test_an_answer_that_cannot_be_used_is_not_asked_for_a_third_time(overtaken):
    game = overtaken("reflective", again=lambda _: Proposal({"prompt": " "}, usage=FREE))
    assert game.of("proposer.failed")[-1].code == "invalid_proposal"
    assert len(game.world.of(Propose)) == 3
