from __future__ import annotations

import attrs
import pytest

from gepa_framework.engine import Accepting, ProposalFailure, Propose, Selecting, Status
from gepa_framework.errors import RunFailedError
from gepa_framework.types import FREE, Proposal, RolloutResult, Stage, Usage


@pytest.fixture
def one(toy):
    """Play a run of one iteration."""

    def one(world=None, **changes):
        return toy.play(toy.plan(limits={"iterations": 1}, **changes), world)

    return one


def iteration(game):
    """Give the types of what happened in the first iteration."""
    begin = game.types.index("iteration.started")
    return game.types[begin : game.types.index("gepa.stop")]


def test_a_parent_that_is_perfect_on_the_minibatch_is_not_proposed_for(toy, one):
    game = one(toy.World(score=lambda command: 1.0))
    assert iteration(game) == [
        "iteration.started",
        "rollout.completed",
        "rollout.completed",
        "iteration.skipped",
    ]
    assert "perfect score of 1.0" in game.of("iteration.skipped")[0].reason
    assert game.world.of(Propose) == []
    assert game.machine.status is Status.FINISHED


def test_one_imperfect_row_is_enough_to_propose(toy, one):
    spoiled = []

    def score(command):
        if command.stage is Stage.PARENT and not spoiled:
            spoiled.append(command)
            return 0.9
        return 1.0

    assert len(one(toy.World(score=score)).world.of(Propose)) == 1


def test_a_reward_above_one_shows_that_one_is_not_perfect(toy, one):
    def score(command):
        return 5.0 if command.row.id == "train:0" and command.stage is Stage.SEED else 1.0

    game = one(toy.World(score=score))
    assert game.of("iteration.skipped") == []
    assert game.run.perfect_score is None


def test_a_perfect_score_of_the_plan_holds_whatever_was_seen(toy, one):
    game = one(toy.World(score=lambda command: 5.0), perfect_score=5.0)
    assert "perfect score of 5.0" in game.of("iteration.skipped")[0].reason
    assert one(toy.World(score=lambda command: 1.0), perfect_score=5.0).of("iteration.skipped") == []


def test_a_parent_without_a_scored_rollout_is_not_proposed_for(toy, one):
    world = toy.World(score=lambda c: toy.FAILED if c.stage is Stage.PARENT else 0.5)
    game = one(world, failure_tolerance=1.0)
    assert game.of("iteration.skipped")[0].reason == "no rollout of the parent was scored"
    assert world.of(Propose) == []


def test_a_proposal_that_did_not_come_costs_no_rollout(toy, one):
    game = one(toy.World(propose=[ProposalFailure("slow", "it took too long")]))
    assert iteration(game)[-2:] == ["proposer.started", "proposer.failed"]
    failed = game.of("proposer.failed")[0]
    assert (failed.code, failed.message, failed.iteration) == ("slow", "it took too long", 1)
    assert game.world.rollouts(Stage.CHILD) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"prompt": ""}, "the text of 'prompt' is empty"),
        ({"prompt": " \n\t"}, "the text of 'prompt' is empty"),
        ({"promt": "x"}, "'promt' may not be changed; the request names 'prompt'"),
        ({"prompt": "good", "other": "x"}, "'other' may not be changed"),
        ({"prompt": 3}, "the text of 'prompt' is int, not a string"),
        ({"prompt": None}, "the text of 'prompt' is NoneType, not a string"),
    ],
)
def test_a_proposal_that_cannot_be_used_is_refused_before_a_rollout(toy, one, changes, fault):
    game = one(toy.World(propose=[Proposal(changes, usage=FREE)]))
    failed = game.of("proposer.failed")[0]
    assert failed.code == "invalid_proposal"
    assert fault in failed.message
    assert game.world.rollouts(Stage.CHILD) == []
    assert game.of("proposer.completed") == []


@pytest.mark.parametrize("changes", [{}, {"prompt": "0.2"}])
def test_a_proposer_that_changes_nothing_ends_the_iteration(toy, one, changes):
    game = one(toy.World(propose=[Proposal(changes, usage=FREE)]))
    assert iteration(game)[-2:] == ["proposer.completed", "iteration.skipped"]
    assert game.of("iteration.skipped")[0].reason == "the proposer changed nothing"
    assert game.of("proposer.completed")[0].changed == ()
    assert game.world.rollouts(Stage.CHILD) == []


def test_text_is_kept_byte_for_byte(toy, one):
    text = "  0.9\r\n\t trailing \x00 "
    game = one(toy.World(propose=[text], score=lambda c: float(c.candidate.components["prompt"].split()[0])))
    assert game.run.pool.best.candidate.components["prompt"] == text


def test_a_text_that_is_in_the_pool_is_not_tried_again(toy):
    world = toy.World(propose=["0.5", "0.2"])
    game = toy.play(toy.plan(limits={"iterations": 2}, selecting=Selecting("current_best")), world)
    skipped = game.of("candidate.duplicate_skipped")
    assert [(body.candidate_id, body.iteration) for body in skipped] == [(game.run.seed.id, 2)]
    assert len(world.rollouts(Stage.CHILD)) == 2


def test_a_text_that_was_rejected_is_not_tried_again(toy):
    world = toy.World(propose=["0.1"])
    game = toy.play(toy.plan(limits={"iterations": 3}), world)
    assert len(game.of("candidate.rejected")) == 1
    assert [body.iteration for body in game.of("candidate.duplicate_skipped")] == [2, 3]
    assert len(world.rollouts(Stage.CHILD)) == 2


@pytest.mark.parametrize("text", ["0.1", "0.20"])
def test_a_child_that_is_not_better_is_rejected_and_not_scored_in_full(toy, one, text):
    game = one(toy.World(propose=[text]))
    (rejected,) = game.of("candidate.rejected")
    assert rejected.reason == "not better than its parent on the minibatch"
    assert rejected.before == pytest.approx(0.4)
    assert rejected.after == pytest.approx(2 * float(text))
    assert rejected.rows == 2
    assert game.world.rollouts(Stage.FULL) == []
    assert len(game.run.pool.members) == 1


def test_a_margin_is_asked_for_on_top(toy, one):
    assert one(toy.World(propose=["0.3"]), accepting=Accepting(margin=0.09)).of("candidate.accepted")
    assert one(toy.World(propose=["0.3"]), accepting=Accepting(margin=0.11)).of("candidate.rejected")


def test_improvement_or_equal_lets_a_tie_in(toy, one):
    assert one(toy.World(propose=["0.20"]), accepting=Accepting("improvement_or_equal")).of(
        "candidate.accepted"
    )


def test_a_child_of_which_nothing_was_scored_is_rejected_with_the_cause(toy, one):
    world = toy.World(score=lambda c: toy.FAILED if c.stage is Stage.CHILD else 0.5)
    (rejected,) = one(world, failure_tolerance=1.0).of("candidate.rejected")
    assert rejected.reason == "no rollout of the child was scored: it broke"
    assert (rejected.before, rejected.after, rejected.delta, rejected.rows) == (None, None, None, 0)


def test_an_accepted_child_that_nothing_in_full_was_scored_of_stays_out_of_the_pool(toy, one):
    world = toy.World(score=lambda c: toy.FAILED if c.stage is Stage.FULL else toy.by_text(c))
    game = one(world, failure_tolerance=1.0)
    evaluated = game.of("candidate.evaluated")[-1]
    assert (evaluated.score, evaluated.coverage, evaluated.rows) == (None, 0, 4)
    assert len(game.of("frontier.updated")) == 1
    assert len(game.run.pool.members) == 1
    assert game.machine.status is Status.FINISHED
    assert game.events[-1].best_candidate_id == game.run.seed.id


def test_an_accepted_child_that_a_part_was_scored_of_joins_with_its_coverage(toy, one):
    def score(command):
        lost = command.stage is Stage.FULL and command.row.id in ("train:1", "train:3")
        return toy.FAILED if lost else toy.by_text(command)

    game = one(toy.World(score=score), failure_tolerance=1.0)
    evaluated, updated = game.of("candidate.evaluated")[-1], game.of("frontier.updated")[-1]
    assert (evaluated.coverage, evaluated.rows) == (2, 4)
    assert evaluated.score == pytest.approx(0.3)
    assert updated.improved == ("train:0", "train:2")
    assert set(updated.survivors) == {game.run.seed.id, evaluated.candidate_id}


def test_failed_proposals_in_a_row_end_the_run_as_failed(toy):
    world = toy.World(propose=[ProposalFailure("down", "no answer")])
    game = toy.play(toy.plan(max_proposer_failures=3, limits={"iterations": 50}), world)
    assert len(world.of(Propose)) == 3
    assert game.machine.status is Status.FAILED
    assert isinstance(game.machine.failure, RunFailedError)
    last = game.events[-1]
    assert (last.type, last.error_code) == ("gepa.run.failed", "gepa_run_failed")
    assert "3 proposals failed in a row; the last one: down: no answer" in last.message
    assert "max_consecutive_proposer_failures" in last.message


def test_invalid_proposals_count_as_failed_ones(toy):
    world = toy.World(propose=[Proposal({"prompt": ""}, usage=FREE)])
    game = toy.play(toy.plan(max_proposer_failures=2, limits={"iterations": 50}), world)
    assert game.machine.status is Status.FAILED
    assert len(game.of("proposer.failed")) == 2


def test_a_proposal_that_comes_forgives_the_failures_before(toy):
    world = toy.World(propose=[ProposalFailure("down", "no"), ProposalFailure("down", "no"), "0.1"])
    game = toy.play(toy.plan(max_proposer_failures=3, limits={"iterations": 9}), world)
    assert game.machine.status is Status.FINISHED
    assert len(game.of("proposer.failed")) == 6


def test_the_seed_without_a_scored_rollout_ends_the_run_with_the_causes(toy):
    other = attrs.evolve(toy.FAILED, code="full", message="no room")
    world = toy.World(score=lambda c: other if c.row.id == "train:0" else toy.FAILED)
    game = toy.play(world=world)
    assert game.machine.status is Status.FAILED
    message = game.events[-1].message
    assert "not one rollout of the seed candidate was scored" in message
    assert "3 x container broke: it broke; 1 x container full: no room" in message
    assert not game.run.has_pool


def test_usage_of_a_failed_proposal_is_in_the_books(toy, one):
    failure = ProposalFailure("cut", "cut off", usage=Usage(1, 2, 3, 0.5))
    game = one(toy.World(propose=[failure]))
    assert game.run.ledger.cost_usd == 0.5
    assert game.run.ledger.proposals == 1


def test_a_result_with_objectives_keeps_them_on_record(toy, one):
    result = RolloutResult(0.25, objectives={"brevity": 0.5}, usage=Usage(total_tokens=9, cost_usd=0.125))
    completed = one(toy.World(score=lambda c: result)).of("rollout.completed")[0]
    assert (completed.reward, dict(completed.objectives)) == (0.25, {"brevity": 0.5})
    assert (completed.cost_usd, completed.total_tokens) == (0.125, 9)
    assert (completed.stage, completed.row_id) == ("seed_full_train", "train:0")
