from __future__ import annotations

import pytest

from gepa_framework import GepaRun
from gepa_framework.app.chronicle import Chronicle
from gepa_framework.app.guards import GuardedStopper
from gepa_framework.app.inspect.curve import Point
from gepa_framework.engine import ComponentRule, DeploymentRule, FailedRollouts
from gepa_framework.errors import PluginBrokenError
from gepa_framework.types import Event, RunView, StopReason
from gepa_framework.types.events import (
    CandidateRegistered,
    FrontierUpdated,
    HeldoutStarted,
    IterationStarted,
    RolloutFailed,
    RunFailed,
    RunStarted,
)


def limits(project, gepa):
    config = project.write(gepa=gepa)
    config.write_text(config.read_text().replace("max_total_rollouts = 200\n", ""))
    return GepaRun.from_toml(config, environ={}).plan.limits


@pytest.mark.parametrize(
    ("gepa", "train", "heldout", "total"),
    [
        ("", 248, 256, 256),
        ("max_total_rollouts = 100", 92, 100, 100),
        ('max_total_rollouts = 100\ntask_pools.heldout = "100-101"', 96, 100, 100),
        ("max_train_rollouts = 60\nmax_heldout_rollouts = 20", 60, 20, None),
        ("max_train_rollouts = 60", 60, 256, None),
        ("max_heldout_rollouts = 9", 256, 9, None),
    ],
)
def test_heldout_rollouts_are_set_aside_from_the_start(project, gepa, train, heldout, total):
    found = limits(project, gepa)
    assert (found.train_rollouts, found.heldout_rollouts, found.total_rollouts) == (train, heldout, total)


def test_every_limit_reaches_the_plan(project):
    found = limits(
        project,
        "max_cost_usd = 2.5\nmax_time_seconds = 60\nmax_prompt_tokens = 1\nmax_completion_tokens = 2\n"
        "max_total_tokens = 3\nmax_proposals = 4\n"
        + "".join(
            f"{call}_estimated_{what} = 0\n"
            for call in ("rollout", "proposer")
            for what in ("cost_usd", "prompt_tokens", "completion_tokens")
        ),
    )
    assert found.proposals == 4
    assert (found.cost_usd, found.seconds, found.iterations) == (2.5, 60, 6)
    assert (found.prompt_tokens, found.completion_tokens, found.total_tokens) == (1, 2, 3)


def test_no_limit_on_money_is_no_limit(project):
    assert limits(project, "max_cost_usd = 0.0").cost_usd is None


def test_every_decision_reaches_the_plan(project):
    gepa = """
failed_rollout_policy = "score_zero"
rollout_failure_rate_tolerance = 0.5
perfect_score = 2.0
component_selector = "round_robin"
include_rejected = 7
max_consecutive_proposer_failures = 2
deployment_rule = "heldout_best"
verdict_confidence = 0.75
max_component_chars = 70
proposal_repair_turns = 0
"""
    more = """
[selection]
strategy = "current_best"
[acceptance]
rule = "improvement_or_equal"
margin = 0.0
[candidate]
candidate_id_prefix = "mine"
[policy]
model = "m"
[seed_candidate]
skills = "1 1"
"""
    plan = project.run(gepa=gepa, more=more).plan
    assert plan.failed_rollouts is FailedRollouts.SCORE_ZERO
    assert (plan.deployment_rule, plan.verdict_confidence) == (DeploymentRule.HELDOUT_BEST, 0.75)
    assert plan.component_rule is ComponentRule.ROUND_ROBIN
    assert (plan.failure_tolerance, plan.perfect_score, plan.include_rejected) == (0.5, 2.0, 7)
    assert (plan.max_proposer_failures, plan.minibatch_size, plan.seed) == (2, 3, 3)
    assert (plan.max_component_chars, plan.repair_turns) == (70, 0)
    assert (plan.selecting.rule, plan.accepting.rule, plan.candidate_prefix) == (
        "current_best",
        "improvement_or_equal",
        "mine",
    )
    assert plan.policy["model"] == "m"
    assert dict(plan.seed_candidate) == {"skills": "1 1"}
    assert plan.train.seeds == tuple(range(8))
    assert plan.heldout.seeds == (100, 101, 102, 103)


def test_a_stopper_is_guarded_under_its_name():
    class Raises:
        def check(self, view):
            raise OSError("odd")

    class Says:
        def __init__(self, answer):
            self.answer = answer

        def check(self, view):
            return self.answer

    reason = StopReason("enough")
    assert GuardedStopper("good", Says(reason)).check(RunView()) is reason
    assert GuardedStopper("good", Says(None)).check(RunView()) is None
    with pytest.raises(PluginBrokenError, match="bad raised OSError: odd"):
        GuardedStopper("bad", Raises()).check(RunView())
    for answer in (0, False, "", "stop"):
        with pytest.raises(PluginBrokenError, match=f"bad gave {type(answer).__name__}"):
            GuardedStopper("bad", Says(answer)).check(RunView())


def tell(*bodies):
    chronicle = Chronicle()
    for seq, body in enumerate(bodies, start=1):
        chronicle.on_event(Event(seq, 0.0, body))
    chronicle.close()
    return chronicle


def test_states_are_told_as_they_change_and_once():
    registered = CandidateRegistered("c", (), 0, "seed", {"a": "b"}, (), "")
    started = [IterationStarted(number, "c", "pareto", ()) for number in (1, 2)]
    chronicle = tell(
        RunStarted(1, "", {}), registered, started[0], registered, started[1], HeldoutStarted((), 0)
    )
    told = [(row["seq"], row["from"], row["to"], row["trigger"]) for row in chronicle.state_history]
    assert told == [
        (1, "created", "initializing", "gepa.run.started"),
        (2, "initializing", "seed_full_train", "candidate.registered"),
        (3, "seed_full_train", "searching", "iteration.started"),
        (6, "searching", "heldout", "heldout.started"),
    ]


def test_a_failure_is_a_state_wherever_it_comes():
    chronicle = tell(RunStarted(1, "", {}), RunFailed("gepa_run_failed", "no", {}))
    assert [row["to"] for row in chronicle.state_history] == ["initializing", "failed"]


def test_scores_are_told_by_the_rollouts_that_they_took():
    failed = RolloutFailed("c", "r", "seed_full_train", 0, "timeout", "slow", "")
    joined = FrontierUpdated("c", 0, (), (), (), "c", 0.5)
    assert tell(failed, failed, joined, failed).points == [Point(2, "c", None, 0.5, None)]
