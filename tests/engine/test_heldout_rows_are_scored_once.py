from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gepa_framework.engine import HeldoutScore, Status
from gepa_framework.engine.heldout import summarise
from gepa_framework.types import Stage


def test_seed_and_best_are_scored_on_every_heldout_row(toy):
    game = toy.play(toy.plan(heldout=3))
    (started,) = game.of("heldout.started")
    seed, best = game.of("heldout.completed")
    assert started.candidates == (seed.candidate_id, best.candidate_id)
    assert started.rows == 3
    assert (seed.role, best.role) == ("seed", "best")
    assert seed.candidate_id == game.run.seed.id
    assert best.candidate_id == game.run.pool.best.candidate.id
    assert (seed.score, best.score) == (pytest.approx(0.2), pytest.approx(0.5))
    assert (seed.coverage, seed.rows) == (3, 3)
    assert len(game.world.rollouts(Stage.HELDOUT)) == 6


def test_a_seed_that_is_the_best_is_scored_once(toy):
    game = toy.play(toy.plan(heldout=3), toy.World(propose=["0.1"]))
    (completed,) = game.of("heldout.completed")
    assert (completed.candidate_id, completed.role) == (game.run.seed.id, "best")
    assert len(game.world.rollouts(Stage.HELDOUT)) == 3
    assert game.run.ledger.heldout_rollouts == 3


def test_heldout_scores_choose_no_best_candidate(toy):
    def score(command):
        return 1.0 - toy.by_text(command) if command.stage is Stage.HELDOUT else toy.by_text(command)

    game = toy.play(world=toy.World(score=score))
    assert game.events[-1].best_score == pytest.approx(0.5)


def test_failed_heldout_rows_lower_the_coverage_and_not_the_score(toy):
    def score(command):
        lost = command.stage is Stage.HELDOUT and command.row.id == "heldout:101"
        return toy.FAILED if lost else toy.by_text(command)

    game = toy.play(toy.plan(heldout=3), toy.World(score=score))
    for body in game.of("heldout.completed"):
        assert (body.coverage, body.rows) == (2, 3)
    assert game.of("heldout.completed")[1].score == pytest.approx(0.5)


def test_a_run_of_which_no_heldout_row_was_scored_did_not_do_what_was_asked(toy):
    world = toy.World(score=lambda c: toy.FAILED if c.stage is Stage.HELDOUT else toy.by_text(c))
    game = toy.play(world=world)
    assert game.machine.status is Status.FAILED
    assert "not one heldout rollout of" in str(game.machine.failure)
    assert game.of("heldout.completed") == []


def test_a_run_without_heldout_rows_ends_without_scores(toy):
    game = toy.play(toy.plan(heldout=0))
    assert game.machine.status is Status.FINISHED
    assert {body.score for body in game.of("heldout.completed")} == {None}


def test_scores_are_kept_by_candidate(toy):
    game = toy.play()
    assert game.run.heldout_scores[game.run.seed.id] == HeldoutScore(
        pytest.approx(0.2), pytest.approx(0.0), 2, 2
    )


def test_the_standard_error_is_that_of_the_sample():
    score = summarise([0.0, 1.0, 1.0, 1.0], rows=5)
    assert (score.score, score.coverage, score.rows) == (0.75, 4, 5)
    assert score.stderr == pytest.approx(0.25)


def test_one_score_has_no_standard_error():
    assert summarise([0.5], rows=1) == HeldoutScore(0.5, None, 1, 1)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40))
def test_mean_and_standard_error_equal_those_of_the_standard_library(rewards):
    score = summarise(rewards, rows=len(rewards))
    assert score.score == pytest.approx(statistics.fmean(rewards), abs=1e-9)
    expected = statistics.stdev(rewards) / len(rewards) ** 0.5
    assert score.stderr == pytest.approx(expected, rel=1e-6, abs=1e-6)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_rewards_does_not_matter(rewards, random):
    shuffled = random.sample(rewards, len(rewards))
    assert summarise(shuffled, rows=20) == summarise(rewards, rows=20)
