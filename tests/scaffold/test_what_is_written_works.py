"""Every kind, the cookbook and the scenario: written, installed into a fresh environment, tested, and run."""

from __future__ import annotations

import json

import pytest

from gepa_framework.types import Kind

CONFIG = """
[run]
run_id = "r"

[container]
transport = "idea"

[dataset]
train_seeds = "0-15"
heldout_seeds = "16-23"

[proposer]
backend = "idea"

[gepa]
max_total_rollouts = 400
minibatch_size = 4

[cache]
mode = "readwrite"
backend = "idea"

[executor]
use = "idea"

[store]
use = "idea"

[[stoppers]]
use = "idea"
rollouts = 200

[[listeners]]
use = "idea"
types = "candidate.*"
"""


@pytest.mark.timeout(180)
def test_every_kind_is_installed_tested_and_used(bench):
    dists = []
    for kind in Kind:
        told = json.loads(bench.gepa("plugin", "new", kind, "idea", "--json"))
        dists.append(told["path"])
        assert told["warnings"] == []
    assert len(dists) == len(Kind)
    bench.install(*(f"./{dist}" for dist in dists))
    assert " passed" in bench.test(*(f"{dist}/tests" for dist in dists))
    checked = json.loads(bench.gepa("plugins", "check", "idea", "--json"))
    assert [(each["ok"], each["note"]) for each in checked["plugins"]] == [(True, "")] * len(Kind)
    (bench.work / "gepa.toml").write_text(CONFIG)
    result = json.loads(bench.gepa("run", "--config", "gepa.toml", "--json", "--display", "none"))
    assert result["status"] == "finished"
    assert result["best_score"] > result["seed_score"]
    assert result["stopped_by"]["kind"] == "idea"
    heard = (bench.work / "runs/r/idea.txt").read_text().splitlines()
    assert all(" candidate." in line for line in heard)
    assert heard
    assert (bench.work / "runs/r/journal.jsonl").exists()
    lock = json.loads((bench.work / "runs/r/plugins.lock.json").read_text())["plugins"]
    assert {each["distribution"] for each in lock} == {
        f"gepa-{kind}-idea" for kind in Kind if kind != "extra"
    }
    assert bench.gepa("idea", "runs/r") == "r finished\n"
    bench.gepa("verify", "runs/r")


@pytest.mark.timeout(180)
def test_a_cookbook_is_installed_tested_and_run(bench):
    (dist,) = {json.loads(bench.gepa("plugin", "new", "--cookbook", "mailroom", "--json"))["path"]}
    bench.install(f"./{dist}")
    assert " passed" in bench.test(f"{dist}/tests")
    assert json.loads(bench.gepa("plugins", "check", "mailroom", "--json"))["ok"] is True
    assert bench.gepa("run", "--config", f"{dist}/gepa.toml", "--display", "none")


@pytest.mark.timeout(360)
def test_a_scenario_is_installed_tested_tried_and_run(bench):
    told = json.loads(bench.gepa("plugin", "new", "scenario", "idea", "--json"))
    bench.install(f"./{told['path']}")
    assert " passed" in bench.test(f"{told['path']}/tests", timeout=240)
    checked = json.loads(bench.gepa("plugins", "check", told["name"], "idea_cards", "--json"))
    assert {(each["name"], each["ok"], each["note"]) for each in checked["plugins"]} == {
        ("idea_cards", True, ""),
        ("scenario.idea", True, ""),
    }
    bench.gepa("init", "--scenario", "idea", "--path", "mine.toml")
    written = (bench.work / "mine.toml").read_text()
    assert 'scenario = "idea"' in written
    bench.gepa("run", "--config", "mine.toml", "--set", "run.run_id=r", "--display", "none")
    result = json.loads((bench.work / "runs/r/result_manifest.json").read_text())
    assert result["status"] == "finished"
    assert result["best_score"] > result["seed_score"]
    lock = json.loads((bench.work / "runs/r/plugins.lock.json").read_text())["plugins"]
    assert ("proposer", "gepa-scenario-idea") in {(each["kind"], each["distribution"]) for each in lock}
    scored = bench.run("gepa_scenario_idea.artifact", "score", "runs/r/best_candidate.json")
    assert float(scored) > 0.5
