from __future__ import annotations

import attrs
import pytest

from gepa_framework.engine import FailedRollouts, Propose, Status
from gepa_framework.types import Stage


def failing(toy, *places):
    """Give a score that fails for these (stage, position in its batch)."""
    counts = {}

    def score(command):
        turn = counts[command.stage, command.iteration] = (
            counts.get((command.stage, command.iteration), -1) + 1
        )
        return toy.FAILED if (command.stage, turn) in places else toy.by_text(command)

    return score


def one(toy, world, policy=FailedRollouts.EXCLUDE_PAIRED, **changes):
    given = {"minibatch_size": 4, "failure_tolerance": 1.0, "failed_rollouts": policy, **changes}
    return toy.play(toy.plan(limits={"iterations": 1}, **given), world)


def test_a_row_that_the_parent_failed_on_is_not_asked_of_the_child(toy):
    world = toy.World(score=failing(toy, (Stage.PARENT, 1)))
    game = one(toy, world)
    (started,) = game.of("iteration.started")
    asked = [command.row.id for command in world.rollouts(Stage.CHILD)]
    assert asked == [row for position, row in enumerate(started.rows) if position != 1]
    (accepted,) = game.of("candidate.accepted")
    assert (accepted.rows, accepted.before, accepted.after) == (3, pytest.approx(0.6), pytest.approx(0.9))


def test_a_row_that_the_child_failed_on_leaves_the_parents_side_too(toy):
    world = toy.World(score=failing(toy, (Stage.CHILD, 0), (Stage.CHILD, 2)))
    (accepted,) = one(toy, world).of("candidate.accepted")
    assert accepted.rows == 2
    assert accepted.before == pytest.approx(0.4)
    assert accepted.after == pytest.approx(0.6)


def test_exclusion_compares_the_same_rows_on_both_sides(toy):
    """The parent's rewards differ by row, so a shifted pairing would show."""
    batch = {}

    def score(command):
        rows = batch.setdefault((command.stage, command.iteration), [])
        rows.append(command.row.id)
        position = len(rows) - 1
        if command.stage is Stage.PARENT:
            return toy.FAILED if position == 1 else float(position) / 8
        if command.stage is Stage.CHILD:
            return toy.FAILED if position == 0 else 0.5
        return 0.5

    (accepted,) = one(toy, toy.World(score=score)).of("candidate.accepted")
    # Rows 0, 2 and 3 were the parent's; the child lost the first of them.
    assert (accepted.rows, accepted.before, accepted.after) == (2, 5 / 8, 1.0)


def test_a_failed_row_does_not_let_a_worse_child_in(toy):
    world = toy.World(score=failing(toy, (Stage.PARENT, 0), (Stage.PARENT, 1)), propose=["0.15"])
    assert len(one(toy, world).of("candidate.rejected")) == 1


def test_a_failed_pareto_cell_stays_empty_and_raises_no_mean(toy):
    world = toy.World(score=failing(toy, (Stage.SEED, 2)))
    game = one(toy, world)
    seed = game.of("candidate.evaluated")[0]
    assert (seed.score, seed.coverage, seed.rows) == (pytest.approx(0.2), 3, 4)
    assert game.of("frontier.updated")[0].improved == ("train:0", "train:1", "train:3")
    assert game.run.pool.frontier.score(0, 2) is None


def test_a_failed_rollout_is_a_frame_of_evidence(toy):
    world = toy.World(score=failing(toy, (Stage.PARENT, 1)))
    one(toy, world)
    frames = world.of(Propose)[0].request.evidence
    assert [frame.reward is None for frame in frames] == [False, True, False, False]
    assert frames[1].failure == toy.FAILED


def test_zero_counts_a_failed_rollout_as_nothing_scored_but_zero(toy):
    world = toy.World(score=failing(toy, (Stage.PARENT, 1), (Stage.CHILD, 0), (Stage.SEED, 3)))
    game = one(toy, world, FailedRollouts.SCORE_ZERO)
    (accepted,) = game.of("candidate.accepted")
    assert (accepted.rows, accepted.before, accepted.after) == (4, pytest.approx(0.6), pytest.approx(0.9))
    seed = game.of("candidate.evaluated")[0]
    assert (seed.score, seed.coverage) == (pytest.approx(0.15), 4)


def test_zero_keeps_the_failure_on_record(toy):
    world = toy.World(score=failing(toy, (Stage.SEED, 3)))
    game = one(toy, world, FailedRollouts.SCORE_ZERO)
    (failed,) = game.of("rollout.failed")
    assert (failed.kind, failed.code, failed.message) == ("container", "broke", "it broke")
    assert (failed.stage, failed.row_id, failed.iteration) == ("seed_full_train", "train:3", 0)
    assert game.run.ledger.failed_rollouts == 1


def test_stop_ends_the_run_with_the_first_failure(toy):
    world = toy.World(score=failing(toy, (Stage.PARENT, 1)))
    game = one(toy, world, FailedRollouts.STOP)
    assert game.machine.status is Status.FAILED
    assert game.types[-2:] == ["rollout.failed", "gepa.run.failed"]
    assert "container broke: it broke" in game.events[-1].message
    assert world.of(Propose) == []


def test_stop_takes_back_what_is_still_under_way(toy):
    plan = toy.plan(failed_rollouts=FailedRollouts.STOP)
    game = toy.Play(plan).start().until(lambda game: game.awaiting(Stage.SEED))
    first, *rest = game.machine.pending
    game.complete(first, toy.FAILED)
    assert game.machine.status is Status.FAILED
    assert game.revoked == rest
    assert dict(game.machine.pending) == {}


def test_heldout_failures_do_not_stop_a_run_that_stops_on_failures(toy):
    world = toy.World(score=failing(toy, (Stage.HELDOUT, 0)))
    assert one(toy, world, FailedRollouts.STOP).machine.status is Status.FINISHED


def test_more_failures_than_tolerated_end_the_run_with_their_causes(toy):
    broken = attrs.evolve(toy.FAILED, message="worse")

    def score(command):
        if command.stage is not Stage.PARENT:
            return toy.by_text(command)
        return toy.FAILED if command.iteration % 2 else broken

    plan = toy.plan(train=8, failure_tolerance=0.25, limits={"iterations": 40})
    game = toy.play(plan, toy.World(score=score))
    assert game.machine.status is Status.FAILED
    message = game.events[-1].message
    assert "3 of the latest 11 rollouts failed" in message
    assert "rollout_failure_rate_tolerance = 0.25" in message
    assert "2 x container broke: it broke; 1 x container broke: worse" in message


def test_failures_within_the_tolerance_end_nothing(toy):
    def score(command):
        lost = command.stage is Stage.SEED and command.row.id in ("train:0", "train:4")
        return toy.FAILED if lost else toy.by_text(command)

    assert toy.play(toy.plan(train=8, failure_tolerance=0.25), toy.World(score=score)).machine.failure is None


def test_a_few_rollouts_are_too_few_to_judge_by(toy):
    world = toy.World(score=lambda c: 0.2 if c.row.id == "train:3" else toy.FAILED)
    plan = toy.plan(failure_tolerance=0.25, limits={"iterations": 1})
    game = toy.Play(plan, world).start().until(lambda game: "candidate.evaluated" in game.types)
    assert game.of("candidate.evaluated")[0].coverage == 1
    assert game.machine.status is Status.RUNNING


def test_one_failure_never_ends_a_run(toy):
    world = toy.World(score=failing(toy, (Stage.SEED, 0)))
    plan = toy.plan(train=8, failure_tolerance=0.0, limits={"iterations": 1})
    assert toy.play(plan, world).machine.status is Status.FINISHED


def test_old_failures_are_forgiven(toy):
    """Two failures lie more than a window of rollouts apart."""

    def score(command):
        lost = command.stage is Stage.FULL and command.iteration in (1, 6) and command.row.id == "train:0"
        return toy.FAILED if lost else toy.by_text(command)

    plan = toy.plan(train=8, failure_tolerance=0.01, limits={"iterations": 7})
    game = toy.play(plan, toy.World(score=score))
    assert game.run.ledger.failed_rollouts == 2
    assert game.machine.status is Status.FINISHED
