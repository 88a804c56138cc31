"""Each part of the search is switched on in a ``gepa.toml`` and seen in the events."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from gepa_framework import GepaRun
from gepa_framework.engine import Estimates, Generating, Merging, Pipelining, Price, Weighing
from gepa_framework.errors import BudgetExceededError
from gepa_framework.types import UNKNOWN, Usage

PIPELINED = """
[gepa.pipeline]
mode = "async_pipelined"
staleness_policy = "guarded"
delta_max = 1
max_in_flight_candidates = 3
workers = {propose = 2, rollout = 4, evaluate = 2}
"""
METERED = """
import attrs
from gepa_framework.testing.fakes import FakeTransport


class Metered(FakeTransport):
    async def rollout(self, request):
        outcome = await super().rollout(request)
        usage = Usage(prompt_tokens=1000, completion_tokens=100, total_tokens=1100)
        objectives = {"solved": outcome.reward, "effort": 5.0}
        return attrs.evolve(outcome, usage=usage, objectives=objectives)


def make(context):
    return Metered()
"""
PRICED = """
[policy]
provider = "us"
model = "small"
[[prices]]
provider = "us"
model = "small"
prompt_usd_per_million = 10
completion_usd_per_million = 100
"""
#: One rollout: 1,000 tokens read and 100 written.
EACH = 0.02
TWO_PARTS = """
from gepa_framework.testing.fakes import FakeTransport


class TwoParts(FakeTransport):
    async def program(self):
        parts = (ComponentSpec("even"), ComponentSpec("odd"))
        return Program("parts", "parts", parts, ("even", "odd"), {"even": "0", "odd": "0"})

    async def rollout(self, request):
        part = "odd" if request.row.seed % 2 else "even"
        level = int(request.candidate.components[part])
        return RolloutResult(reward=level / 10, output=level, usage=FREE)


def make(context):
    return TwoParts()
"""
ONE_PART_AT_A_TIME = """
class Improve:
    async def propose(self, request):
        (name,) = request.components
        better = int(request.parent.components[name]) + 1
        return Proposal({name: str(better)}, usage=FREE)

    async def close(self): ...


def make(context):
    return Improve()
"""


def told(project, *types):
    feed = map(json.loads, project.normalised().splitlines())
    return [event for event in feed if event["type"] in types]


def ended(project):
    (stop,) = told(project, "gepa.stop")
    return stop


def test_everything_reaches_the_plan(project):
    gepa = """
proposals_per_generation = 2
parents_per_generation = 3
minibatches_per_parent = 4
keep = "top_k"
keep_k = 5
perfect_score = 1.0
objective_keys = ["solved", "effort"]
objective_directions.effort = "minimize"
objective_acceptance = {objective_regression_tolerance = 0.25, protected_objectives = ["effort"]}
max_proposals = 999
rollout_estimated_cost_usd = 0.5
rollout_estimated_prompt_tokens = 6
rollout_estimated_completion_tokens = 7
rollout_estimated_wall_seconds = 8
proposer_estimated_total_tokens = 9
proposer_estimated_wall_seconds = 10
max_rollout_attempts = 2
task_pools = {heldout = "101-102"}
"""
    more = (
        PIPELINED
        + PRICED
        + (
            "[gepa.pipeline.speculative_completion]\nenabled = true\n"
            '[acceptance]\ncriterion = "protected_objective_guard"\n'
            "[merge]\nevery = 4\nmax = 6\nrows = 3\n"
        )
    )
    run = project.run(gepa=gepa, more=more)
    plan = run.plan
    assert run.warnings == ()
    assert plan.pipelining == Pipelining(3, 2, "guarded", 1, speculative=True)
    assert plan.generating == Generating(3, 4, 2, "top_k", 5)
    assert plan.merging == Merging(4, 6, 3)
    assert plan.weighing == Weighing("protected_objective_guard", 0.05, 0.25, ("effort",))
    assert dict(plan.objectives) == {"solved": "maximize", "effort": "minimize"}
    assert plan.frontier == "instance"
    assert plan.estimates == Estimates(
        rollout=Usage(6, 7, 13, 0.5),
        proposal=Usage(total_tokens=9),
        rollout_seconds=8.0,
        proposal_seconds=10.0,
        attempts=2,
    )
    assert dict(plan.prices.models) == {("us", "small"): Price(10.0, 100.0)}
    assert (plan.prices.rollout, plan.prices.proposer) == (("us", "small"), ("", ""))
    assert (plan.limits.proposals, plan.heldout.seeds) == (999, (101, 102))


def test_what_is_not_said_leaves_the_plan_as_it_was(project):
    plan = project.run().plan
    assert (plan.pipelining, plan.generating) == (Pipelining(), Generating())
    assert (plan.merging, plan.weighing, plan.estimates) == (
        Merging(),
        Weighing(),
        Estimates(UNKNOWN, UNKNOWN, attempts=3),
    )
    assert (plan.limits.proposals, dict(plan.prices.models)) == (None, {})


def test_a_serial_run_has_one_iteration_under_way(project):
    text = "[gepa.pipeline]\nmax_in_flight_candidates = 5"
    assert project.run(more=text).plan.pipelining.in_flight == 1


def test_the_table_of_the_proposer_says_who_writes_where_the_proposer_does_not(project):
    project.offer(
        "proposer",
        "named",
        "import attrs\nfrom gepa_framework.testing.fakes import FakeProposer\n"
        "def make(context): return FakeProposer()\n"
        "@attrs.frozen\nclass Config:\n    model: str\n    provider: str | None = None\n",
    )
    module = project.site / "gf_app_named.py"
    module.write_text(module.read_text().replace("api='>=1.0,<2'", "api='>=1.0,<2', config=Config"))
    path = project.write()
    sets = ["proposer.backend=named", "proposer.model=writer"]
    assert GepaRun.from_toml(path, sets=sets, environ={}).plan.prices.proposer == ("", "writer")
    sets.append("proposer.provider=them")
    assert GepaRun.from_toml(path, sets=sets, environ={}).plan.prices.proposer == ("them", "writer")


@pytest.mark.parametrize(
    "other",
    [
        PRICED,
        "[merge]\nevery = 2",
        '[gepa.pipeline]\nmode = "async_pipelined"',
        '[gepa.pipeline]\nmode = "async_pipelined"\nmax_in_flight_candidates = 3',
    ],
)
def test_another_search_is_another_run(project, other):
    assert project.run("a").plan.config_digest != project.run("b", more=other).plan.config_digest


def test_a_pipelined_run_has_iterations_side_by_side(project):
    result = project.run(container="delay_seconds = 0.01", more=PIPELINED).execute()
    assert (result.status, result.iterations) == ("finished", 6)
    order = [
        (event["type"], event["iteration"])
        for event in told(project, "iteration.started", "proposer.started", "gepa.stop")
    ]
    begun = [number for kind, number in order if kind == "iteration.started"]
    assert begun == [1, 2, 3, 4, 5, 6]
    assert order[:3] == [("iteration.started", 1), ("iteration.started", 2), ("iteration.started", 3)]
    under_way = order[: order.index(("iteration.started", 4))]
    assert "proposer.started" in {kind for kind, _ in under_way}


def test_an_iteration_tries_every_parent_on_every_minibatch_and_keeps_the_best(project):
    gepa = """
parents_per_generation = 2
minibatches_per_parent = 2
proposals_per_generation = 2
keep = "best"
"""
    project.run(gepa=gepa, more='[acceptance]\nrule = "improvement_or_equal"').execute()
    started = Counter(event["iteration"] for event in told(project, "iteration.started"))
    assert set(started.values()) == {4}
    asked = Counter(event["iteration"] for event in told(project, "proposer.started"))
    assert max(asked.values()) == 8
    kept = Counter(event["iteration"] for event in told(project, "candidate.accepted"))
    assert kept
    assert set(kept.values()) == {1}
    reasons = {event["reason"] for event in told(project, "candidate.rejected")}
    assert any("another proposal of the iteration is chosen" in reason for reason in reasons)


def test_a_run_merges_what_two_candidates_improved(project):
    project.offer("transport", "parts", TWO_PARTS)
    project.offer("proposer", "stepwise", ONE_PART_AT_A_TIME)
    path = project.write(
        transport="parts",
        container="",
        gepa='component_selector = "round_robin"\nproposals_per_generation = 2',
        more="[merge]\nevery = 1\nmax = 2\nrows = 4",
    )
    sets = ["proposer.backend=stepwise", "gepa.max_generations=12"]
    GepaRun.from_toml(path, sets=sets, environ={}).execute()
    merges = told(project, "merge.proposed")
    assert 1 <= len(merges) <= 2
    assert all(set(event["sources"]) == {"even", "odd"} for event in merges)
    rows = {
        event["rows"]
        for event in told(project, "candidate.accepted", "candidate.rejected")
        if event["rule"] == "merge"
    }
    assert rows <= {4}
    sources = {event["source"] for event in told(project, "candidate.registered")}
    assert "merge" in sources


@pytest.mark.parametrize(
    ("criterion", "accepts"), [("any_objective_improved", False), ("protected_objective_guard", True)]
)
def test_a_run_weighs_objectives(project, criterion, accepts):
    """The effort of every candidate is the same: it never improves, and it never falls."""
    project.offer("transport", "metered", METERED)
    gepa = (
        'objective_keys = ["effort"]\nobjective_directions.effort = "minimize"\n'
        'objective_acceptance.protected_objectives = ["effort"]'
    )
    more = f'[acceptance]\ncriterion = "{criterion}"'
    project.run(transport="metered", container="", gepa=gepa, more=more).execute()
    assert bool(told(project, "candidate.accepted")) is accepts
    assert told(project, "candidate.rejected")


def money(limit, **changes):
    given = {"rollout_estimated_cost_usd": EACH, "proposer_estimated_cost_usd": 0, **changes}
    return f"max_cost_usd = {limit}\n" + "".join(f"{key} = {value}\n" for key, value in given.items())


def test_prices_turn_tokens_into_the_cost_that_a_limit_ends_the_run_at(project):
    project.offer("transport", "metered", METERED)
    given = {"transport": "metered", "container": "", "more": PRICED}
    result = project.run(gepa=money(1.5), **given).execute()
    stop = ended(project)
    assert (stop["kind"], stop["limit"]) == ("max_cost_usd", 1.5)
    assert stop["value"] == pytest.approx(
        EACH * sum(event["stage"] != "heldout" for event in told(project, "rollout.completed"))
    )
    assert {event["cost_usd"] for event in told(project, "rollout.completed")} == {EACH}
    assert result.status == "finished"
    assert result.cost_usd == pytest.approx(EACH * result.rollouts)
    assert result.cost_usd <= 1.5
    assert result.unpriced == ()


def test_what_has_no_price_is_listed(project):
    project.offer("transport", "metered", METERED)
    result = project.run(
        transport="metered", container="", more=PRICED.replace('"small"\n[[', '"big"\n[[')
    ).execute()
    assert result.cost_usd is None
    assert result.unpriced == (f"container.rollout x {result.rollouts}",)


def test_a_run_whose_cost_nobody_knows_ends_with_its_files_and_without_heldout_scores(project):
    project.offer("transport", "metered", METERED)
    result = project.run(
        transport="metered", container="", gepa=money(9.5), more=PRICED.replace('"small"\n[[', '"big"\n[[')
    ).execute()
    assert (result.status, result.stopped_by.kind, result.stopped_by.value) == (
        "finished",
        "max_cost_usd",
        None,
    )
    assert result.heldout == {}
    assert result.improvement_verdict.verdict in ("no_measured_improvement", "inconclusive")
    assert json.loads(result.manifest_path.read_text())["heldout_best_candidate"] is None
    assert told(project, "heldout.started")[0]["reason"]


def test_a_limit_on_money_that_cannot_hold_the_least_is_refused_before_anything_is_written(project):
    # 16 rollouts, 3 attempts each.
    with pytest.raises(
        BudgetExceededError, match=r"may take \$0.96, 3 attempts at \$0.02 .* is \$0.95"
    ) as caught:
        project.run(gepa=money(0.95))
    assert caught.value.hint.startswith("raise gepa.max_cost_usd, lower gepa.rollout_estimated_cost_usd")
    assert project.run(gepa=money(0.96)).plan.limits.cost_usd == 0.96
    assert project.run(gepa=money(0.32, max_rollout_attempts=1)).plan.estimates.attempts == 1
    assert not project.directory().exists()


def test_a_number_of_proposals_is_kept(project):
    project.run(gepa="max_proposals = 7\nproposals_per_generation = 2").execute()
    stop = ended(project)
    assert (stop["kind"], stop["limit"]) == ("max_proposals", 7)
    # Four may be asked for in an iteration, two of them if an answer is refused.
    assert len(told(project, "proposer.started")) == stop["value"] == 4


def test_a_pool_of_heldout_rows_is_what_is_reported_on(project):
    project.run(gepa='task_pools = {heldout = "101-102"}').execute()
    rows = {event["row_id"] for event in told(project, "rollout.completed") if event["stage"] == "heldout"}
    assert rows == {"test:101", "test:102"}


def test_evidence_is_taken_from_the_reflection_pool(project):
    project.run(gepa='task_pools = {reflection = "2-4"}').execute()
    drawn = {row for event in told(project, "iteration.started") for row in event["rows"]}
    assert drawn == {"train:2", "train:3", "train:4"}
