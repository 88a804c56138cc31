from __future__ import annotations

import tomllib

import pytest

from gepa_framework.app import GepaRun
from gepa_framework.app.scenarios import scenario_config, scenario_text
from gepa_framework.app.schema import installed_schema
from gepa_framework.errors import PluginBrokenError, ScenarioNotFoundError
from gepa_framework.types import Scenario

CONFIG = {
    "prices": [{"model": "a", "prompt_usd_per_million": 1.0}, {"model": "b"}],
    "stoppers": [{"use": "max_iterations", "iterations": 3}],
    "gepa": {"minibatch_size": 4, "pipeline": {"workers": {"rollout": 2}}},
    "policy": {"config": {"odd key": [1, 2]}},
    "seed_candidate": {"prompt": 'two\n"lines" \\ and é'},
    "container": {"transport": "synth_containers", "cwd": "."},
    "unheard_of": {"key": True},
}


def scenario(**changes):
    said = {"id": "s", "summary": "Tries.", "config": CONFIG, "budgets": {"max_total_rollouts": 9}}
    return Scenario(**{**said, **changes})


def test_what_is_written_says_what_the_scenario_says() -> None:
    made = scenario(command=("serve", "{port}"))
    text = scenario_text(made, installed_schema(["gepa-framework"]).schema)
    assert tomllib.loads(text) == scenario_config(made)
    told = tomllib.loads(text)
    assert told["run"] == {"scenario": "s"}
    assert told["container"] == {"transport": "synth_containers", "cwd": ".", "command": ["serve", "{port}"]}
    assert told["gepa"]["max_total_rollouts"] == 9


def test_it_names_its_schema_and_says_what_each_key_is() -> None:
    lines = scenario_text(scenario(), installed_schema(["gepa-framework"]).schema).splitlines()
    assert lines[:2] == ["#:schema ./gepa.schema.json", "# Scenario s: Tries."]
    assert lines[lines.index("minibatch_size = 4") - 1] == "# Rows on which parent and child are compared."
    assert lines[lines.index("iterations = 3") - 1].startswith("# ")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"config": {"run": {"scenario": "other"}}}, "says run.scenario twice"),
        ({"config": {"gepa": {"max_total_rollouts": 3}}}, "says gepa.max_total_rollouts twice"),
        ({"config": {"container": {"command": ["x"]}}, "command": ["y"]}, "says container.command twice"),
        ({"config": {"gepa": 3}}, "whose 'gepa' is no table"),
    ],
)
def test_what_is_said_twice_is_refused(changes, said) -> None:
    with pytest.raises(PluginBrokenError, match=said):
        scenario_config(scenario(**changes))


def test_a_run_is_described_by_a_scenario_alone(bench) -> None:
    bench.offer()
    run = bench.run("skills", "gepa.minibatch_size=2")
    assert run.plan.limits.train_rollouts == 82
    assert run.plan.minibatch_size == 2
    assert run.scenario is not None
    assert run.run_dir.parent == bench.path / "runs"


def test_an_unknown_scenario_in_a_file_is_told_with_its_place(bench) -> None:
    bench.offer()
    text = scenario_text(bench.run().scenario, installed_schema().schema)
    path = bench.path / "gepa.toml"
    path.write_text(text.replace('scenario = "skills"', 'scenario = "skils"'))
    with pytest.raises(ScenarioNotFoundError) as caught:
        GepaRun.from_toml(path, environ={})
    line = text.splitlines().index('scenario = "skills"') + 1
    assert caught.value.message == f"{path}:{line}:1: run.scenario: no scenario called 'skils'"
    assert caught.value.hint.startswith("did you mean 'skills'?")
