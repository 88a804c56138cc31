from __future__ import annotations

import json

import attrs
import pytest

from gepa_framework.engine import Generating, ProposalFailure, Propose, Status, request_fields
from gepa_framework.types import (
    FREE,
    Candidate,
    ComponentSpec,
    Edit,
    Program,
    Proposal,
    ProposalRequest,
    RejectedAttempt,
    Repair,
    Stage,
    Usage,
    digest,
)

#: As it was before requests could ask for a repair and components declare variables.
OLD_DIGEST = "62026e2759c83b5903722c7d4c0d049a4ca16ded85b43636e3061c0351bf9df2"

EMPTY = Proposal({"prompt": ""}, usage=Usage(1, 2, 3, 0.25), model="m", requested_model="m")
GOOD = Proposal({"prompt": "0.9"}, usage=Usage(10, 20, 30, 0.5), model="m", requested_model="m")


@pytest.fixture
def one(toy):
    """Play a run of one iteration in which the proposer gives these answers in turn."""

    def one(*answers, **changes):
        return toy.play(toy.plan(limits={"iterations": 1}, **changes), toy.World(propose=list(answers)))

    return one


def proposing(game):
    names = ("proposer.started", "proposal.refused", "proposer.completed", "proposer.failed")
    return [name for name in game.types if name in names]


def test_a_refused_answer_is_asked_for_once_more_and_may_get_in(one):
    game = one(EMPTY, GOOD)
    assert proposing(game) == ["proposer.started", "proposal.refused", "proposer.completed"]
    assert game.run.pool.best.candidate.components["prompt"] == "0.9"


def test_the_refusal_is_on_record_with_its_reasons_and_its_cost(one):
    (refused,) = one(EMPTY, GOOD).of("proposal.refused")
    assert (refused.iteration, refused.turn) == (1, 1)
    assert refused.reasons == ("the text of 'prompt' is empty",)
    assert (refused.cost_usd, refused.total_tokens) == (0.25, 3)
    assert (refused.model, refused.requested_model) == ("m", "m")


def test_the_second_request_tells_what_was_wrong_and_is_else_the_same(one):
    first, second = one(EMPTY, GOOD).world.of(Propose)
    assert first.request.repair is None
    assert (second.effect_id, second.request.proposal_id) == ("proposal/1/repair",) * 2
    assert second.request.repair.faults == ("the text of 'prompt' is empty",)
    assert json.loads(second.request.repair.answer)["components"] == {"prompt": ""}
    assert attrs.evolve(second.request, proposal_id="proposal/1", repair=None) == first.request


def test_both_answers_are_in_the_books(one):
    ledger = one(EMPTY, GOOD).run.ledger
    assert ledger.cost_usd == 0.75
    assert (ledger.proposals, ledger.outcome_usage.total_tokens) == (2, 33)


def test_a_second_answer_that_is_no_better_ends_the_proposal(one):
    game = one(EMPTY, attrs.evolve(EMPTY, components={"promt": "x"}))
    assert proposing(game) == ["proposer.started", "proposal.refused", "proposer.failed"]
    (failed,) = game.of("proposer.failed")
    assert failed.code == "invalid_proposal"
    assert failed.message == "'promt' may not be changed; the request names 'prompt'"
    assert len(game.world.of(Propose)) == 2
    assert game.world.rollouts(Stage.CHILD) == []
    assert game.run.ledger.cost_usd == 0.5


def test_all_faults_of_an_answer_that_failed_are_told(one):
    (failed,) = one(Proposal({"prompt": "", "x": "y"}, usage=FREE)).of("proposer.failed")
    assert failed.message.count("; ") == 2
    assert "is empty; 'x' may not be changed" in failed.message


def test_a_proposal_that_fails_in_its_repair_counts_once(toy):
    plan = toy.plan(max_proposer_failures=3, limits={"iterations": 50})
    game = toy.play(plan, toy.World(propose=[EMPTY]))
    assert game.machine.status is Status.FAILED
    assert "3 proposals failed in a row" in str(game.machine.failure)
    assert len(game.world.of(Propose)) == 6


def test_without_a_repair_turn_the_first_answer_decides(one):
    game = one(EMPTY, GOOD, repair_turns=0)
    assert proposing(game) == ["proposer.started", "proposer.failed"]
    assert len(game.world.of(Propose)) == 1


def test_a_failure_of_the_proposer_is_not_repaired(one):
    game = one(ProposalFailure("slow", "it took too long"), GOOD)
    assert proposing(game) == ["proposer.started", "proposer.failed"]
    assert len(game.world.of(Propose)) == 1


def test_a_failure_in_the_repair_turn_is_recorded_as_what_it_is(one):
    game = one(EMPTY, ProposalFailure("slow", "it took too long", Usage(1, 1, 2, 0.125)))
    assert proposing(game) == ["proposer.started", "proposal.refused", "proposer.failed"]
    assert game.of("proposer.failed")[0].code == "slow"
    assert game.run.ledger.cost_usd == 0.375


def test_a_refused_answer_that_declines_when_asked_again_changes_nothing(one):
    game = one(EMPTY, Proposal(usage=FREE))
    assert game.of("iteration.skipped")[0].reason == "the proposer changed nothing"
    assert game.of("proposer.failed") == []


def test_of_several_proposals_those_that_were_refused_are_repaired(toy):
    texts = {"proposal/1/1": "", "proposal/1/1/repair": "0.8", "proposal/1/2": "", "proposal/1/2/repair": ""}

    def propose(request):
        return Proposal({"prompt": texts.get(request.proposal_id, "0.7")}, usage=Usage(1, 1, 2, 0.125))

    plan = toy.plan(limits={"iterations": 1}, generating=Generating(proposals=3))
    game = toy.play(plan, toy.World(propose=propose))
    assert [command.effect_id for command in game.world.of(Propose)] == [
        "proposal/1",
        "proposal/1/1",
        "proposal/1/2",
        "proposal/1/1/repair",
        "proposal/1/2/repair",
    ]
    registered = [body.components["prompt"] for body in game.of("candidate.registered")]
    assert registered == ["0.2", "0.7", "0.8"]
    assert len(game.of("proposer.failed")) == 1
    assert game.run.ledger.cost_usd == 5 * 0.125


def test_an_answer_is_in_the_books_though_others_of_its_batch_are_not_in(toy):
    plan = toy.plan(limits={"iterations": 1}, generating=Generating(proposals=2))
    game = toy.Play(plan, toy.World(propose=[EMPTY])).start()
    game.until(lambda play: "proposal/1" in play.machine.pending)
    game.complete("proposal/1").cancel()
    assert game.run.ledger.proposals == 1


@pytest.mark.parametrize(("limit", "accepted"), [(3, True), (2, False)])
def test_the_limit_of_the_plan_is_the_one_that_holds(toy, limit, accepted):
    program = attrs.evolve(toy.PROGRAM, seed={"prompt": "0"})
    plan = toy.plan(limits={"iterations": 1}, max_component_chars=limit)
    game = toy.play(plan, toy.World(propose=["0.9"], program=program))
    assert bool(game.of("candidate.accepted")) is accepted


def test_a_seed_longer_than_the_limit_is_refused_before_anything_is_spent(toy):
    game = toy.play(toy.plan(max_component_chars=2))
    assert game.machine.failure.error_code == "gepa_config_error"
    assert "gepa.max_component_chars" in game.events[-1].details["paths"]
    assert "'prompt' starts with 3 characters, and a text may have 2" in game.events[-1].message
    assert game.world.rollouts() == []


def test_edits_become_the_childs_text(one):
    game = one(Proposal(edits={"prompt": [Edit("0", ""), Edit(".2", "0.8"), Edit("0.8", "0.9")]}, usage=FREE))
    registered = game.of("candidate.registered")[-1]
    assert (dict(registered.components), registered.changed) == ({"prompt": "0.9"}, ("prompt",))
    assert game.of("proposer.completed")[0].changed == ("prompt",)


def test_an_edit_that_misses_is_repaired(one):
    missing = Proposal(edits={"prompt": [Edit("0.3", "0.9")]}, usage=FREE)
    game = one(missing, GOOD)
    assert "'0.3' occurs 0 times" in game.of("proposal.refused")[0].reasons[0]
    assert game.of("candidate.accepted")


def test_both_models_are_on_record(one):
    (completed,) = one(GOOD).of("proposer.completed")
    assert (completed.requested_model, completed.model) == ("m", "m")


@pytest.mark.parametrize(
    ("requested", "resolved"), [("m", None), (None, "m"), (None, None), ("m", "m")], ids=str
)
def test_a_model_that_is_not_known_is_no_substitute(one, requested, resolved):
    game = one(attrs.evolve(GOOD, requested_model=requested, model=resolved))
    (completed,) = game.of("proposer.completed")
    assert (completed.requested_model, completed.model) == (requested, resolved)
    assert game.of("candidate.accepted")


@pytest.mark.parametrize("resolved", ["other", "m-2026-01-01", "M", ""])
def test_another_model_than_the_one_asked_for_is_refused_and_not_asked_again(one, resolved):
    game = one(attrs.evolve(GOOD, model=resolved), GOOD)
    assert proposing(game) == ["proposer.started", "proposer.failed"]
    (failed,) = game.of("proposer.failed")
    assert failed.code == "model_substituted"
    assert f"the model 'm' was asked for, and {resolved!r} answered" in failed.message
    assert "proposer.allow_model_substitution" in failed.message
    assert game.world.rollouts(Stage.CHILD) == []
    assert game.run.ledger.cost_usd == 0.5
    assert len(game.world.of(Propose)) == 1


def test_another_model_may_answer_where_the_plan_allows_it(one):
    game = one(attrs.evolve(GOOD, model="other"), allow_model_substitution=True)
    (completed,) = game.of("proposer.completed")
    assert (completed.requested_model, completed.model) == ("m", "other")
    assert game.of("candidate.accepted")


@pytest.fixture
def request_():
    spec = ComponentSpec("prompt", module_id="writer")
    return ProposalRequest(
        proposal_id="proposal/1",
        iteration=1,
        parent=Candidate.of({"prompt": "0.2"}),
        components=("prompt",),
        evidence=(),
        rejected=(RejectedAttempt("c", {"prompt": "x"}, "no better"),),
        program=Program("toy", "toy-task", (spec,), ("prompt",), seed={"prompt": "0.2"}),
        task={"about": "numbers"},
        seed=7,
    )


def test_a_request_without_a_repair_asks_what_it_always_asked(request_):
    assert digest(request_fields(request_)) == OLD_DIGEST


def test_a_repair_and_a_declared_variable_are_part_of_what_is_asked(request_):
    specs = (attrs.evolve(request_.program.components[0], template_variables=("a",)),)
    asked = [
        request_,
        attrs.evolve(request_, repair=Repair(("bad",), "{}")),
        attrs.evolve(request_, repair=Repair(("worse",), "{}")),
        attrs.evolve(request_, repair=Repair(("bad",), "[]")),
        attrs.evolve(request_, program=attrs.evolve(request_.program, components=specs)),
    ]
    assert len({digest(request_fields(each)) for each in asked}) == 5
