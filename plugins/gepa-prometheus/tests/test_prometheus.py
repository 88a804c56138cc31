"""A real Prometheus scrapes real runs."""

from __future__ import annotations

import json
import socket
from collections import Counter

import pytest

pytestmark = pytest.mark.timeout(120)

LISTENER = """
targets_dir = "{targets}"
linger_seconds = 60.0
labels = {{team = "search"}}
"""


def test_what_prometheus_knows_in_the_end_is_what_the_run_says(prometheus, runs, until):
    config = runs.write(LISTENER.format(targets=prometheus.targets), after=30)
    process = runs.start("run", "--config", config, "--json")
    until(lambda: prometheus.query("sum(gepa_rollouts_total)") == {(): 30})
    assert prometheus.query("gepa_run_active") == {("banking-1", "search"): 1}
    assert prometheus.query("sum(gepa_run_state)") == {(): 1}
    runs.gate.touch()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    result, events = json.loads(out), runs.events()
    assert list(prometheus.targets.iterdir()) == []

    def last(name: str) -> dict[tuple[str, ...], float]:
        return prometheus.query(f"sum without (run, team) (last_over_time({name}[5m]))")

    finished = events[-1]
    types = Counter(event["type"] for event in events)
    assert finished["type"] == "gepa.run.finished"
    assert last('gepa_run_state{state="finished"}') == {("finished",): 1}
    assert last("gepa_events_total") == {(): len(events)}
    rollouts = Counter(
        (event["type"].partition(".")[2], event["stage"])
        for event in events
        if event["type"].startswith("rollout.")
    )
    assert last("gepa_rollouts_total") == {key: rollouts[key] for key in last("gepa_rollouts_total")}
    assert sum(rollouts.values()) == finished["rollouts"]
    assert last('gepa_rollout_failures_total{kind="timeout"}') == {("timeout",): finished["failed_rollouts"]}
    assert finished["failed_rollouts"]
    assert last("gepa_best_score") == {(): pytest.approx(finished["best_score"])}
    assert last("gepa_pool_candidates") == {(): finished["candidates"]}
    assert last("gepa_iterations_total") == {(): finished["iterations"]}
    decided = {(name,): types[f"candidate.{name}"] for name in ("accepted", "rejected")}
    assert last("gepa_candidates_total") == decided
    assert last('gepa_proposals_total{outcome="completed"}') == {("completed",): types["proposer.completed"]}
    scored = types["rollout.completed"]
    assert last("gepa_cost_usd_total") == {("proposer",): 0, ("rollout",): pytest.approx(0.25 * scored)}
    assert last("gepa_tokens_total") == {("proposer",): 0, ("rollout",): 15 * scored}
    ratio = last('gepa_budget_used_ratio{budget="total_rollouts"}')
    assert ratio == {("total_rollouts",): pytest.approx(finished["rollouts"] / 300)}
    heldout = {(event["role"],): event["score"] for event in events if event["type"] == "heldout.completed"}
    assert last("gepa_heldout_score").items() >= {k: v for k, v in heldout.items() if k != ("tie",)}.items()
    assert result["best_candidate_id"] == finished["best_candidate_id"]


def test_a_run_that_was_killed_is_down_and_its_resumption_is_found_and_counts_on(prometheus, runs, until):
    config = runs.write(LISTENER.format(targets=prometheus.targets), after=40)
    first = runs.start("run", "--config", config)
    until(lambda: prometheus.query("sum(gepa_rollouts_total)") == {(): 40})
    first.kill()
    first.communicate(timeout=10)
    until(lambda: prometheus.query("up") == {("banking-1", "search"): 0})
    until(
        lambda: (
            [each["labels"]["alertname"] for each in prometheus.api("alerts")["alerts"]] == ["GepaRunGone"]
        )
    )

    runs.gate.touch()
    second = runs.start("resume", runs.directory())
    _, err = second.communicate(timeout=60)
    assert second.returncode == 0, err
    assert "events 1 to" not in err
    events = runs.events()
    total = sum(event["type"].startswith("rollout.") for event in events)
    seen = prometheus.query("max by (run) (sum by (run, instance) (last_over_time(gepa_rollouts_total[5m])))")
    assert seen == {("banking-1",): total}
    assert 40 < total == events[-1]["rollouts"]


def test_runs_side_by_side_are_told_apart(prometheus, runs, until):
    listener = LISTENER.format(targets=prometheus.targets)
    for run_id in ("one", "two"):
        runs.start("run", "--config", runs.write(listener, run_id, after=10))
    until(lambda: prometheus.query("sum by (run) (gepa_rollouts_total)") == {("one",): 10, ("two",): 10})
    ports = {each["scrapeUrl"] for each in prometheus.api("targets")["activeTargets"]}
    assert len(ports) == 2
    rules = prometheus.api("rules")["groups"][0]["rules"]
    assert {rule["health"] for rule in rules} <= {"ok", "unknown"}


def test_a_taken_port_does_not_stop_a_run_unless_it_is_asked_to(runs):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        port = f"port = {taken.getsockname()[1]}"
        runs.gate.touch()
        process = runs.start("run", "--config", runs.write(port))
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert err.count(f"cannot be served at {where}") == 1

        strict = runs.start("run", "--config", runs.write(f'{port}\non_error = "stop"', "strict"))
        _, err = strict.communicate(timeout=60)
        assert strict.returncode == 4, err
        assert f"cannot be served at {where}" in err
        assert not [event for event in runs.events("strict") if event["type"].startswith("rollout.")]
