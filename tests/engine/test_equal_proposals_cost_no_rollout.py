"""Whatever way a text is proposed in: one that is known already is never rolled out again."""

from __future__ import annotations

import pytest

from gepa_framework.engine import Generating, Selecting
from gepa_framework.engine.evidence import Evidence
from gepa_framework.engine.flow import Batch
from gepa_framework.engine.pool import Pool
from gepa_framework.engine.proposing import propose
from gepa_framework.engine.run import Run
from gepa_framework.engine.turn import Turn
from gepa_framework.types import FREE, Candidate, Edit, LeftOut, Proposal, Stage

NOTHING = Evidence((), LeftOut())


def full(text: str) -> Proposal:
    return Proposal({"prompt": text}, usage=FREE)


def edit(search: str, replace: str) -> Proposal:
    return Proposal(edits={"prompt": [Edit(search, replace)]}, usage=FREE)


def there_and_back() -> Proposal:
    return Proposal(edits={"prompt": [Edit("0.2", "0.5"), Edit("0.5", "0.2")]}, usage=FREE)


@pytest.mark.parametrize("same", [full("0.2"), edit("0.2", "0.2"), there_and_back(), edit("2", "2")])
def test_a_proposal_equal_to_its_parent(toy, same):
    world = toy.World(propose=[same])
    game = toy.play(toy.plan(limits={"iterations": 2}), world)
    assert [body.reason for body in game.of("iteration.skipped")] == ["the proposer changed nothing"] * 2
    assert world.rollouts(Stage.CHILD) == []
    assert len(game.of("candidate.registered")) == 1


@pytest.mark.parametrize("again", [full("0.2"), edit("0.5", "0.2")])
def test_a_proposal_equal_to_an_accepted_candidate(toy, again):
    plan = toy.plan(limits={"iterations": 2}, selecting=Selecting("current_best"))
    world = toy.World(propose=[full("0.5"), again])
    game = toy.play(plan, world)
    (skipped,) = game.of("candidate.duplicate_skipped")
    assert (skipped.candidate_id, skipped.iteration) == (game.run.seed.id, 2)
    assert {command.iteration for command in world.rollouts(Stage.CHILD)} == {1}


@pytest.mark.parametrize("again", [full("0.1"), edit("0.2", "0.1")])
def test_a_proposal_equal_to_a_rejected_candidate(toy, again):
    world = toy.World(propose=[edit("2", "1"), again])
    game = toy.play(toy.plan(limits={"iterations": 2}), world)
    (rejected,) = game.of("candidate.rejected")
    (skipped,) = game.of("candidate.duplicate_skipped")
    assert skipped.candidate_id == rejected.candidate_id
    assert {command.iteration for command in world.rollouts(Stage.CHILD)} == {1}


def answered(flow, batch: Batch, proposal: Proposal) -> Candidate | None:
    """Answer the one question of a flow, and give what comes of it."""
    (command,) = batch.commands
    batch.observe(command, proposal)
    with pytest.raises(StopIteration) as ended:
        flow.send([proposal])
    return ended.value.value


@pytest.mark.parametrize("again", [full("0.5"), edit("0.2", "0.5")])
def test_a_proposal_equal_to_one_that_is_under_way(toy, again):
    game = toy.play(toy.plan(limits={"iterations": 1}), toy.World(propose=[full("0.1")]))
    run: Run = game.run
    parent, before = run.pool.members[0], len(game.events)
    run.emit = game.events.append
    flows = [propose(run, Turn(2, 1), parent, NOTHING, slot=slot) for slot in range(3)]
    batches = [next(flow) for flow in flows]
    assert [batch.commands[0].effect_id for batch in batches] == [
        "proposal/2",
        "proposal/2/1",
        "proposal/2/2",
    ]
    third = answered(flows[2], batches[2], full("0.5"))
    first = answered(flows[0], batches[0], again)
    second = answered(flows[1], batches[1], edit("0.2", "0.6"))
    assert (third.components["prompt"], first, second.components["prompt"]) == ("0.5", None, "0.6")
    assert [body.type for body in game.events[before:]] == [
        *["proposer.started"] * 3,
        *["proposer.completed", "candidate.registered"],
        *["proposer.completed", "candidate.duplicate_skipped"],
        *["proposer.completed", "candidate.registered"],
    ]
    assert run.ledger.proposals == 4


def test_of_equal_proposals_of_one_iteration_one_is_rolled_out(toy):
    plan = toy.plan(limits={"iterations": 1}, generating=Generating(proposals=4))
    world = toy.World(propose=[full("0.5"), edit("0.2", "0.5"), full("0.2"), edit("2", "5")])
    game = toy.play(plan, world)
    assert len(world.rollouts(Stage.CHILD)) == 2
    assert len(game.of("candidate.duplicate_skipped")) == 2
    assert len(game.of("iteration.skipped")) == 1


def test_the_proposals_of_one_iteration_are_asked_with_seeds_of_their_own(toy):
    game = toy.play(toy.plan(limits={"iterations": 1}))
    parent = game.run.pool.members[0]
    flows = [propose(game.run, Turn(2, 1), parent, NOTHING, slot=slot) for slot in range(3)]
    assert len({next(flow).commands[0].request.seed for flow in flows}) == 3


def test_a_repaired_proposal_of_a_later_slot_has_an_id_of_its_own(toy):
    game = toy.play(toy.plan(limits={"iterations": 1}))
    flow = propose(game.run, Turn(2, 1), game.run.pool.members[0], NOTHING, slot=1)
    batch = next(flow)
    batch.observe(batch.commands[0], full(""))
    again = flow.send([full("")])
    assert again.commands[0].effect_id == "proposal/2/1/repair"


def test_a_pool_knows_what_was_registered_before_it_joins():
    pool = Pool(seed=0, rows=["r"], remember=0)
    child = Candidate.of({"prompt": "x"})
    pool.register(child)
    assert child.id in pool.known
    assert pool.members == []
