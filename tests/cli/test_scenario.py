"""``gepa scenario`` and ``gepa init --scenario``."""

from __future__ import annotations

import json
import tomllib

import pytest

SCENARIO = """
from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import *

plugin_info = PluginInfo(Kind.EXTRA, "scenario.skills", ">=1.0,<2", summary="Tries things.")
CONFIG = {
    "container": {"transport": "skills"},
    "dataset": {"train_seeds": "0-7", "heldout_seeds": "100-103"},
    "proposer": {"backend": "practice"},
    "gepa": {"max_generations": 2},
}


@hookimpl
def gepa_scenarios():
    budgets = {"max_total_rollouts": 90}
    needs = {"environ": {"GF_ABSENT": "the key of it"}, "tools": [Tool("{python}", ">=3")]}
    needs["budgets"] = budgets
    return [
        Scenario("skills", "Tries things.", config=CONFIG, budgets=budgets),
        Scenario("skills/keyed", "Tries more.", config=CONFIG, score=ScoreShape("x", low=None), **needs),
    ]
"""


@pytest.fixture
def offered(shell):
    info = shell.site / "gf_cli_sc-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gf-cli-sc\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text("[gepa_framework.extras]\nscenario.skills = gf_cli_sc\n")
    (shell.site / "gf_cli_sc.py").write_text(SCENARIO)
    return shell


def test_scenarios_are_listed_with_their_distribution(offered) -> None:
    done = offered.run("scenario", "list")
    assert done.exit_code == 0
    assert "skills          gf-cli-sc 2.0 " in done.stdout
    assert "skills/keyed    gf-cli-sc 2.0 " in done.stdout
    told = json.loads(offered.run("scenario", "list", "--json").stdout)
    mine = [each for each in told["scenarios"] if each["distribution"] == "gf-cli-sc"]
    assert [each["id"] for each in mine] == ["skills", "skills/keyed"]
    assert told["problems"] == []


def test_a_broken_one_is_named_beside_the_others(offered) -> None:
    (offered.site / "gf_cli_sc.py").write_text("import gf_cli_nowhere\n")
    done = offered.run("scenario", "list")
    assert done.exit_code == 0
    assert "warning: the extra 'scenario.skills' of gf-cli-sc 2.0 (gf_cli_sc) did not import" in done.stderr


def test_a_scenario_has_a_page(offered) -> None:
    text = offered.run("scenario", "show", "skills/keyed").stdout
    assert text.startswith("scenario skills/keyed: Tries more.\n")
    for line in (
        "  tools      {python} >=3",
        "  variables  GF_ABSENT",
        "  score      x, to maximize, from -inf to 1",
        "  budgets    max_total_rollouts = 90",
        "Begin: gepa init --scenario skills/keyed",
    ):
        assert line in text
    told = json.loads(offered.run("scenario", "show", "skills/keyed", "--json").stdout)
    assert told["environ"] == {"GF_ABSENT": "the key of it"}
    assert told["config"]["run"] == {"scenario": "skills/keyed"}
    assert told["score"]["metric"] == "x"


def test_an_unknown_one_names_the_known_ones(offered) -> None:
    for arguments in (("scenario", "show"), ("init", "--force", "--scenario"), ("scenario", "preflight")):
        done = offered.run(*arguments, "skils", "--json")
        error = json.loads(done.stdout)["error"]
        assert (done.exit_code, error["error_code"]) == (4, "gepa_scenario_not_found")
        assert error["hint"].startswith("did you mean 'skills'?")


def test_a_preflight_tells_each_check_and_begins_no_run(offered) -> None:
    done = offered.run("scenario", "preflight", "skills")
    assert (done.exit_code, done.stdout) == (0, "scenario skills is ready: 6 checks passed\n")
    assert "    ok  rollout of the seed: reward 0\n" in done.stderr
    told = json.loads(offered.run("scenario", "preflight", "skills", "--json").stdout)
    assert told["ok"]
    assert told["checks"][0]["name"] == "proposer"
    assert sorted(path.name for path in offered.path.iterdir()) == ["gepa.toml"]


def test_a_preflight_that_fails_ends_with_its_own_error(offered) -> None:
    done = offered.run("scenario", "preflight", "skills/keyed", "--json")
    error = json.loads(done.stdout)["error"]
    assert (done.exit_code, error["error_code"]) == (5, "gepa_preflight_failed")
    assert error["hint"] == "set it: the key of it"
    assert "FAILED  variable GF_ABSENT: is not set" in done.stderr


def test_a_preflight_may_be_of_a_file(offered) -> None:
    of_file = ("scenario", "preflight", "skills", "--config", "gepa.toml")
    done = offered.run(*of_file, "--set", "container.mood=absent")
    assert done.exit_code == 5
    assert "container: nothing listens on port 1" in done.stderr
    assert offered.run(*of_file).exit_code == 0


def test_what_init_writes_runs_and_its_preflight_comes_first(offered) -> None:
    done = offered.run("init", "--path", "new.toml", "--scenario", "skills")
    assert done.stdout == "wrote new.toml and gepa.schema.json; run it: gepa run --config new.toml\n"
    assert tomllib.loads((offered.path / "new.toml").read_text())["run"] == {"scenario": "skills"}
    done = offered.run("run", "--config", "new.toml", "--display", "none")
    assert done.exit_code == 0
    assert done.stderr.splitlines()[0] == "preflight of skills: tools, variables and one rollout of the seed"
    told = json.loads(offered.run("init", "--force", "--scenario", "skills", "--json").stdout)
    assert told["scenario"] == "skills"


def test_a_scenario_is_no_command(offered) -> None:
    assert "scenario.skills" not in offered.run("--help").stdout
    assert offered.run("scenario.skills").exit_code == 2
    assert "scenario.skills" in offered.run("plugins", "list").stdout
    page = offered.run("plugins", "show", "extra:scenario.skills").stdout
    assert page.endswith("# Selected on the command line: gepa init --scenario skills\n")
