from __future__ import annotations

import pytest

from gepa_framework.engine import Accepting, Sampling, Selecting, Status
from gepa_framework.engine.sampling import strata
from gepa_framework.types import FREE, RolloutResult, Stage, TaskRow

SEQUENTIAL = Accepting("sequential", confidence=0.85, power=0.5, max_rows=24)


def hashed(command):
    """Score each row by lot, a better text a little more often."""
    lot = hash((command.row.seed * 7919) % 101) / 101
    return float(lot < 0.5 + float(command.candidate.components["prompt"]) / 10)


def compared(game, stage):
    return [c for c in game.world.rollouts(stage) if c.iteration == 1]


def test_a_sequential_rule_asks_for_pareto_rows_where_the_parent_has_been(toy):
    plan = toy.plan(train=40, accepting=SEQUENTIAL, perfect_score=2.0, limits={"iterations": 1})
    game = toy.play(plan, toy.World(score=hashed))
    parents, children = compared(game, Stage.PARENT), compared(game, Stage.CHILD)
    assert len(parents) == 2
    assert [c.row.id for c in children][:2] == [c.row.id for c in parents]
    assert 2 < len(children) <= SEQUENTIAL.max_rows
    assert len({c.row.id for c in children}) == len(children)
    decided = game.of("candidate.accepted") + game.of("candidate.rejected")
    assert [(body.rows, body.evidence is None) for body in decided] == [(len(children), False)]


def test_what_a_child_did_in_a_long_comparison_is_kept_for_its_evaluation(toy):
    def score(command):
        better = float(command.candidate.components["prompt"]) > 0.2
        return float(better or command.row.seed % 2 == 0)

    plan = toy.plan(train=40, accepting=SEQUENTIAL, perfect_score=2.0, limits={"iterations": 1})
    game = toy.play(plan, toy.World(score=score))
    assert game.of("candidate.accepted")
    compared_rows = [c.row.id for c in compared(game, Stage.CHILD)][2:]
    evaluated = [c.row.id for c in compared(game, Stage.FULL)]
    assert compared_rows
    assert sorted(compared_rows + evaluated) == sorted(f"train:{n}" for n in range(40))
    assert game.of("candidate.evaluated")[-1].coverage == 40


def test_a_sequential_rule_decides_by_the_rows_that_there_are(toy):
    plan = toy.plan(train=6, accepting=SEQUENTIAL, perfect_score=2.0, limits={"iterations": 1})
    game = toy.play(plan, toy.World(score=lambda command: 0.5))
    assert len(compared(game, Stage.CHILD)) == 6
    assert game.of("candidate.rejected")[0].reason == "undecided on all Pareto rows"
    assert game.machine.status is Status.FINISHED


def test_a_long_comparison_never_passes_the_limit_of_rollouts(toy):
    plan = toy.plan(train=40, accepting=SEQUENTIAL, limits={"train_rollouts": 130, "iterations": 9})
    game = toy.play(plan, toy.World(score=hashed))
    assert game.run.ledger.train_rollouts <= 130
    assert game.of("iteration.started")


def test_a_row_that_fails_in_the_middle_of_a_sequential_comparison_leaves_both_sides(toy):
    def score(command):
        if command.row.seed % 3 == 0 and command.stage in (Stage.PARENT, Stage.CHILD):
            return toy.FAILED
        return hashed(command)

    plan = toy.plan(train=40, accepting=SEQUENTIAL, limits={"iterations": 2}, failure_tolerance=1.0)
    game = toy.play(plan, toy.World(score=score))
    assert game.machine.status is Status.FINISHED
    for body in game.of("candidate.accepted") + game.of("candidate.rejected"):
        assert body.rows <= SEQUENTIAL.max_rows


def test_a_paired_rule_wants_evidence_where_a_strict_one_takes_luck(toy):
    lucky = {0: 1.0, 1: 0.0, 2: 0.0, 3: 0.0}

    def score(command):
        better = command.candidate.components["prompt"] != "0.2"
        return lucky.get(command.row.seed, 0.0) if better else 0.0

    def first(accepting):
        plan = toy.plan(accepting=accepting, minibatch_size=4, limits={"iterations": 1})
        return toy.play(plan, toy.World(score=score))

    assert first(Accepting("strict_improvement")).of("candidate.accepted")
    assert first(Accepting("paired", confidence=0.9)).of("candidate.rejected")


@pytest.mark.parametrize(
    "selecting",
    [
        Selecting("pareto", best_floor=0.5),
        Selecting("pareto_unpruned"),
        Selecting("epsilon_greedy", epsilon=0.5),
        Selecting("top_k_pareto", k=2),
        Selecting("batch_lexicase", batch=2),
    ],
)
def test_every_selection_rule_runs_and_is_on_record(toy, selecting):
    game = toy.play(toy.plan(selecting=selecting, limits={"iterations": 6}))
    assert {body.rule for body in game.of("iteration.started")} == {selecting.rule}
    assert game.events == toy.play(toy.plan(selecting=selecting, limits={"iterations": 6})).events


def test_a_floor_of_nearly_one_keeps_to_the_best(toy):
    plan = toy.plan(selecting=Selecting(best_floor=0.999), limits={"iterations": 8})
    game = toy.play(plan)
    best = [body.best_candidate_id for body in game.of("frontier.updated")]
    assert [body.parent_id for body in game.of("iteration.started")] == best[:8]


def two_objectives(command):
    level = float(command.candidate.components["prompt"])
    objectives = {"accuracy": level, "length": 10 * level}
    return RolloutResult(reward=level, objectives=objectives, usage=FREE)


OBJECTIVES = {"accuracy": "maximize", "length": "minimize"}


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        ("objective", {"accuracy", "length"}),
        ("hybrid", {"train:0", "train:1", "accuracy", "length"}),
        ("cartesian", {f"train:{n}/{name}" for n in range(2) for name in OBJECTIVES}),
    ],
)
def test_a_frontier_of_objectives_names_its_cells(toy, kind, cells):
    plan = toy.plan(train=2, frontier=kind, objectives=OBJECTIVES, limits={"iterations": 1})
    game = toy.play(plan, toy.World(score=two_objectives))
    seed, child = game.of("frontier.updated")
    assert set(seed.improved) == cells
    assert not any("length" in name for name in child.improved), "a longer text is no better in length"
    assert any("accuracy" in name for name in child.improved)
    assert set(child.survivors) == {seed.candidate_id, child.candidate_id}


def test_a_frontier_of_objectives_that_nobody_reports_fails_with_the_cure(toy):
    plan = toy.plan(frontier="objective", objectives=OBJECTIVES)
    game = toy.play(plan)
    assert game.machine.status is Status.FAILED
    assert "gepa.objective_keys must name objective_scores" in str(game.machine.failure)


def test_an_ordered_sampler_goes_through_the_rows_as_they_are(toy):
    plan = toy.plan(sampling=Sampling("ordered"), limits={"iterations": 3})
    rows = [body.rows for body in toy.play(plan).of("iteration.started")]
    assert rows == [("train:0", "train:1"), ("train:2", "train:3"), ("train:0", "train:1")]


def test_a_stratified_sampler_has_of_each_stratum_its_share(toy):
    def row(split, seed):
        return TaskRow(f"{split}:{seed}", split, {"metadata": {"difficulty": seed % 2}}, seed)

    plan = toy.plan(train=8, sampling=Sampling("stratified"), minibatch_size=4, limits={"iterations": 4})
    for body in toy.play(plan, toy.World(rows=row)).of("iteration.started"):
        assert sum(int(name.split(":")[1]) % 2 for name in body.rows) == 2


def test_rows_without_the_field_are_a_stratum_of_their_own():
    rows = [
        TaskRow(str(n), "train", data)
        for n, data in enumerate([{"a": {"b": 1}}, {}, {"a": 1}, {"a": {"b": 1}}])
    ]
    assert strata(rows, "a.b") == [0, 1, 1, 0]


def test_a_failure_weighted_sampler_comes_back_to_what_is_missed(toy):
    def score(command):
        return float(command.row.seed != 3)

    plan = toy.plan(
        train=12,
        sampling=Sampling("failure_weighted", floor=0.01),
        minibatch_size=1,
        pareto=("0", "1", "3"),
        perfect_score=1.0,
        limits={"iterations": 40},
    )
    drawn = [body.rows[0] for body in toy.play(plan, toy.World(score=score)).of("iteration.started")]
    assert drawn[12:].count("train:3") > 12
