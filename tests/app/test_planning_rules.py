from __future__ import annotations

import json

import pytest

from gepa_framework.engine import Accepting, Plan, Sampling, Selecting

RULES = """
[selection]
strategy = "epsilon_greedy"
epsilon = 0.25
k = 7
best_floor = 0.125
batch = 4
frontier = "cartesian"
[acceptance]
rule = "sequential"
margin = 0.0625
confidence = 0.875
power = 0.5
win_rate = 0.75
max_rows = 6
"""
OBJECTIVES = """
objective_keys = ["speed", "cost", "size"]
objective_directions = {size = "lower_is_better", cost = "minimize"}
"""


def test_the_numbers_of_every_rule_reach_the_plan(project):
    plan = project.run(gepa=OBJECTIVES, more=RULES).plan
    assert plan.selecting == Selecting("epsilon_greedy", epsilon=0.25, k=7, best_floor=0.125, batch=4)
    assert plan.accepting == Accepting(
        "sequential", margin=0.0625, confidence=0.875, power=0.5, win_rate=0.75, max_rows=6
    )


def test_the_frontier_reaches_the_plan_with_its_objectives_in_order(project):
    plan = project.run(gepa=OBJECTIVES, more=RULES).plan
    assert plan.frontier == "cartesian"
    assert list(plan.objectives.items()) == [
        ("speed", "maximize"),
        ("cost", "minimize"),
        ("size", "minimize"),
    ]


@pytest.mark.parametrize(
    ("sampler", "planned"),
    [
        ("'epoch_shuffled'", Sampling("epoch_shuffled")),
        ("'seeded_shuffle'", Sampling("epoch_shuffled")),
        ("'ordered_epoch'", Sampling("ordered")),
        ("'sequential_epoch'", Sampling("ordered")),
        ("{name = 'stratified', field = 'level'}", Sampling("stratified", field="level")),
        ("'stratified_by_field'", Sampling("stratified", field="metadata.difficulty")),
        ("{name = 'failure_weighted', floor = 0.25}", Sampling("failure_weighted", floor=0.25)),
    ],
)
def test_the_sampler_reaches_the_plan(project, sampler, planned):
    assert project.run(gepa=f"batch_sampler = {sampler}").plan.sampling == planned


def test_what_is_not_said_is_what_the_plan_is_without(project):
    plan = project.run().plan
    bare = Plan(seed=plan.seed, train=plan.train, heldout=plan.heldout, limits=plan.limits)
    assert plan.selecting == bare.selecting
    assert plan.accepting == bare.accepting
    assert plan.sampling == bare.sampling
    assert (plan.frontier, plan.objectives) == (bare.frontier, bare.objectives)


@pytest.mark.parametrize(
    "other",
    [
        '[selection]\nstrategy = "pareto_unpruned"',
        "[selection]\nbest_floor = 0.1",
        '[acceptance]\nrule = "paired"',
        "[acceptance]\nmargin = 0.1",
        '[gepa.batch_sampler]\nname = "ordered_epoch"',
    ],
)
def test_another_rule_is_another_run(project, other):
    plain = project.run("a").plan.config_digest
    assert project.run("b").plan.config_digest == plain
    assert project.run("c", more=other).plan.config_digest != plain


MEASURED = """
from gepa_framework.testing.fakes import FakeTransport
import attrs


class Measured(FakeTransport):
    async def rollout(self, request):
        outcome = await super().rollout(request)
        return attrs.evolve(outcome, objectives={"solved": outcome.reward, "level": float(outcome.output)})


def make(context):
    return Measured()
"""


def told(project, *types):
    """Give what the events of these types say."""
    feed = map(json.loads, project.normalised().splitlines())
    return [event for event in feed if event["type"] in types]


@pytest.mark.parametrize(
    "strategy",
    ["pareto", "pareto_unpruned", "current_best", "epsilon_greedy", "top_k_pareto", "batch_lexicase"],
)
def test_a_run_selects_by_every_strategy(project, strategy):
    assert project.run(more=f'[selection]\nstrategy = "{strategy}"').execute().status == "finished"
    assert {event["rule"] for event in told(project, "iteration.started")} == {strategy}


@pytest.mark.parametrize("rule", ["strict_improvement", "improvement_or_equal", "paired", "sequential"])
def test_a_run_accepts_by_every_rule(project, rule):
    assert project.run(more=f'[acceptance]\nrule = "{rule}"').execute().status == "finished"
    decisions = told(project, "candidate.accepted", "candidate.rejected")
    assert {event["rule"] for event in decisions} == {rule}


def test_an_ordered_run_takes_the_rows_in_their_order(project):
    project.run(more='[gepa.batch_sampler]\nname = "ordered_epoch"').execute()
    drawn = [event["rows"] for event in told(project, "iteration.started")]
    assert drawn[:2] == [["train:0", "train:1", "train:2"], ["train:3", "train:4", "train:5"]]


@pytest.mark.parametrize(
    "sampler", ['name = "stratified"\nfield = "difficulty"', 'name = "failure_weighted"\nfloor = 0.5']
)
def test_a_run_draws_by_every_sampler(project, sampler):
    assert project.run("plain").execute().status == "finished"
    assert project.run(more=f"[gepa.batch_sampler]\n{sampler}").execute().status == "finished"
    started = [event["rows"] for event in told(project, "iteration.started")]
    assert all(len(set(rows)) == 3 for rows in started)
    assert project.normalised("plain") != project.normalised()


@pytest.mark.parametrize("frontier", ["objective", "hybrid", "cartesian"])
def test_a_run_searches_on_every_frontier(project, frontier):
    project.offer("transport", "measured", MEASURED)
    run = project.run(
        transport="measured",
        container="",
        gepa='objective_keys = ["solved", "level"]\nobjective_directions.level = "minimize"',
        more=f'[selection]\nfrontier = "{frontier}"',
    )
    assert run.execute().status == "finished"
    (first, *_) = told(project, "frontier.updated")
    cells = [*first["improved"], *first["tied"]]
    assert len(cells) == {"objective": 2, "hybrid": 10, "cartesian": 16}[frontier]
