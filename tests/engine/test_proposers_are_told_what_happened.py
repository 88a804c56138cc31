from __future__ import annotations

import attrs
import pytest

from gepa_framework.engine import Propose, Selecting, request_fields
from gepa_framework.engine.lineage import rejected
from gepa_framework.types import RejectedAttempt, RolloutResult, Stage, canonical_json, digest


def requests(game):
    return [command.request for command in game.world.of(Propose)]


def test_a_request_names_everything_that_may_be_known(toy):
    (request,) = requests(toy.play(toy.plan(limits={"iterations": 1})))
    assert (request.proposal_id, request.iteration) == ("proposal/1", 1)
    assert dict(request.parent.components) == {"prompt": "0.2"}
    assert request.components == ("prompt",)
    assert request.program is toy.PROGRAM
    assert request.task == {"about": "numbers"}
    assert request.rejected == ()
    assert 0 <= request.seed < 2**64


def test_evidence_shows_each_row_of_the_minibatch_in_its_order(toy):
    result = RolloutResult(
        0.5,
        objectives={"brevity": 0.75},
        output=["said"],
        feedback={"hint": "shorter"},
        usage=toy.FAILED.usage,
    )
    world = toy.World(score=lambda c: result if c.stage is Stage.PARENT else 0.2)
    game = toy.play(toy.plan(limits={"iterations": 1}), world)
    (request,) = requests(game)
    assert tuple(frame.row_id for frame in request.evidence) == game.of("iteration.started")[0].rows
    frame = request.evidence[0]
    assert (frame.reward, frame.output) == (0.5, ["said"])
    assert (dict(frame.feedback), dict(frame.objectives)) == ({"hint": "shorter"}, {"brevity": 0.75})
    assert frame.inputs == {"n": int(frame.row_id.split(":")[1])}
    assert frame.failure is None


def test_evidence_never_shows_a_heldout_row(toy):
    game = toy.play(toy.plan(heldout=4))
    shown = {frame.row_id for request in requests(game) for frame in request.evidence}
    assert all(name.startswith("train:") for name in shown)


def test_every_iteration_has_a_seed_of_its_own_that_depends_on_the_runs(toy):
    first, second = (
        [r.seed for r in requests(toy.play(toy.plan(seed=seed, limits={"iterations": 5})))] for seed in (1, 2)
    )
    assert len(set(first) | set(second)) == 10
    assert first == [r.seed for r in requests(toy.play(toy.plan(seed=1, limits={"iterations": 5})))]


def test_rejected_attempts_are_told_to_the_next_proposal_from_the_same_parent(toy):
    world = toy.World(propose=["0.10", "0.11", "0.12"])
    game = toy.play(toy.plan(), world)
    first, second, third = requests(game)
    assert first.rejected == ()
    assert [dict(attempt.changes) for attempt in second.rejected] == [{"prompt": "0.10"}]
    assert [dict(attempt.changes) for attempt in third.rejected] == [{"prompt": "0.10"}, {"prompt": "0.11"}]
    attempt = third.rejected[0]
    assert attempt.reason == "not better than its parent on the minibatch"
    assert (attempt.before, attempt.after) == (pytest.approx(0.2), pytest.approx(0.1))
    assert attempt.candidate_id == game.of("candidate.rejected")[0].candidate_id


@pytest.mark.parametrize("remember", [0, 1, 2])
def test_rejected_attempts_are_bounded_and_the_latest_are_kept(toy, remember):
    world = toy.World(propose=["0.10", "0.11", "0.12", "0.13"])
    game = toy.play(toy.plan(include_rejected=remember, limits={"iterations": 4}), world)
    told = [attempt.changes["prompt"] for attempt in requests(game)[-1].rejected]
    assert told == ["0.10", "0.11", "0.12"][3 - remember :]


def test_what_was_tried_from_an_ancestor_is_told_before_what_was_tried_from_the_parent(toy):
    plan = toy.plan(selecting=Selecting("current_best"), limits={"iterations": 4})
    game = toy.play(plan, toy.World(propose=["0.1", "0.5", "0.4", "0.6"]))
    last = requests(game)[-1]
    assert last.parent.components["prompt"] == "0.5"
    assert [attempt.changes["prompt"] for attempt in last.rejected] == ["0.1", "0.4"]
    assert [attempt.parent_id for attempt in last.rejected] == [game.run.seed.id, ""]


def test_attempts_of_the_nearest_ancestors_are_kept_where_there_are_too_many(toy):
    plan = toy.plan(
        selecting=Selecting("current_best"), include_rejected=2, limits={"iterations": 5}, minibatch_size=1
    )
    game = toy.play(plan, toy.World(propose=["0.10", "0.11", "0.5", "0.4", "0.6"]))
    assert [attempt.changes["prompt"] for attempt in requests(game)[-1].rejected] == ["0.11", "0.4"]


def test_attempts_from_one_candidate_are_not_told_to_its_parent(toy):
    """Nor to its siblings: only what lies on the way to the parent counts."""
    pool = toy.play(toy.plan(selecting=Selecting("current_best")), toy.World(propose=["0.5"])).run.pool
    seed, child = pool.members
    pool.reject(child.candidate.id, RejectedAttempt("c", {"prompt": "0.3"}, "no"))
    assert rejected(pool, seed, 3) == ()
    assert [attempt.candidate_id for attempt in rejected(pool, child, 3)][-1] == "c"


def test_an_attempt_that_nothing_was_scored_of_is_told_without_numbers(toy):
    world = toy.World(score=lambda c: toy.FAILED if c.stage is Stage.CHILD else 0.2, propose=["a", "b"])
    game = toy.play(toy.plan(failure_tolerance=1.0, limits={"iterations": 2}), world)
    (attempt,) = requests(game)[1].rejected
    assert (attempt.before, attempt.after) == (None, None)
    assert attempt.reason == "no rollout of the child was scored: it broke"


def test_the_digest_on_record_is_that_of_the_request(toy):
    game = toy.play()
    recorded = [body.request_digest for body in game.of("proposer.started")]
    assert recorded == [digest(request_fields(request)) for request in requests(game)]
    assert len(set(recorded)) == 3


def test_what_is_asked_does_not_depend_on_ids_or_on_the_raw_program(toy):
    (request,) = requests(toy.play(toy.plan(limits={"iterations": 1})))
    renamed = attrs.evolve(request, proposal_id="another")
    reserved = attrs.evolve(request, program=attrs.evolve(request.program, raw={"url": "http://x"}))
    fields = canonical_json(request_fields(request))
    assert canonical_json(request_fields(renamed)) == fields
    assert canonical_json(request_fields(reserved)) == fields
    assert canonical_json(request_fields(attrs.evolve(request, seed=request.seed ^ 1))) != fields


@pytest.mark.parametrize("rule", ["pareto", "current_best"])
def test_every_rule_selects_parents_from_the_pool(toy, rule):
    game = toy.play(toy.plan(selecting=Selecting(rule), limits={"iterations": 5}))
    members = {member.candidate.id for member in game.run.pool.members}
    assert {body.parent_id for body in game.of("iteration.started")} <= members
    assert {body.rule for body in game.of("iteration.started")} == {rule}
