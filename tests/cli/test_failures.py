from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from gepa_framework import app
from gepa_framework.errors import PluginNotFoundError, ReplayDivergenceError, RunFailedError


@pytest.fixture
def explode(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def fix(error: BaseException) -> None:
        def from_toml(*args, **kwargs):
            raise error

        monkeypatch.setattr(app.GepaRun, "from_toml", from_toml)

    return fix


def test_every_problem_of_a_configuration_has_a_line_of_its_own(shell) -> None:
    shell.config(**{'"practice"': '"practice"\npcae = 1', "minibatch_size = 4": "minibatch_size = 0"})
    done = shell.run("check", "--config", "gepa.toml")
    assert done.exit_code == 3
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert re.match(r"error: gepa\.toml:\d+:\d+: proposer\.pcae: .*did you mean 'pace'", lines[0])
    assert re.match(r"error: gepa\.toml:\d+:\d+: gepa\.minibatch_size: must be > 0", lines[1])


def test_every_problem_is_in_the_json_with_its_place(shell) -> None:
    shell.config(**{"minibatch_size = 4": "minibatch_size = 0"})
    told = json.loads(shell.run("check", "--config", "gepa.toml", "--json").stdout)["error"]
    assert told["error_code"] == "gepa_config_error"
    [problem] = told["problems"]
    assert problem["path"] == "gepa.minibatch_size"
    assert problem["file"] == "gepa.toml"
    assert problem["line"] > 1


def test_the_last_line_says_what_to_do(shell, explode) -> None:
    explode(PluginNotFoundError("no proposer called 'codx'", hint="did you mean 'codex'?"))
    done = shell.run("run", "--config", "gepa.toml")
    assert done.stderr.splitlines() == ["error: no proposer called 'codx'", "next: did you mean 'codex'?"]


def test_a_traceback_is_shown_only_when_it_is_asked_for(shell, explode) -> None:
    explode(RunFailedError("nothing worked"))
    assert "Traceback" not in shell.run("run", "--config", "x").stderr
    assert "Traceback" in shell.run("-v", "run", "--config", "x").stderr
    assert "Traceback" in shell.run("run", "--config", "x", "-v").stderr


def test_the_unexpected_leaves_a_report_and_no_traceback(shell, explode) -> None:
    explode(ZeroDivisionError("nobody expected this"))
    done = shell.run("run", "--config", "gepa.toml")
    assert done.exit_code == 70
    assert "Traceback" not in done.stderr
    path = Path(done.stderr.split()[-1])
    text = path.read_text()
    assert "ZeroDivisionError: nobody expected this" in text
    assert "arguments: run --config gepa.toml" in text
    assert path.stat().st_mode & 0o077 == 0


def test_the_report_is_left_with_the_run_where_there_is_one(shell, monkeypatch) -> None:
    def broken(result):
        raise ZeroDivisionError("in the summary")

    monkeypatch.setattr("gepa_framework.cli.execution.summary", broken)
    done = shell.run("run", "--config", "gepa.toml", "--display", "none", "--set", "gepa.max_generations=1")
    assert done.exit_code == 70
    assert Path(done.stderr.split()[-1]).parent == shell.path / "runs" / "first"


def test_no_secret_gets_into_the_report(shell, explode, monkeypatch) -> None:
    monkeypatch.setenv("ACME_API_KEY", "correct-horse-battery")
    explode(ZeroDivisionError("refused correct-horse-battery"))
    done = shell.run("run", "--config", "gepa.toml", "--set", "container.password=hunter22222")
    text = Path(done.stderr.split()[-1]).read_text()
    assert "correct-horse-battery" not in text
    assert "hunter22222" not in text
    assert "--set container.password=…" in text


def test_the_unexpected_is_told_as_json(shell, explode) -> None:
    explode(ZeroDivisionError("nobody expected this"))
    told = json.loads(shell.run("run", "--config", "x", "--json").stdout)["error"]
    assert told["error_code"] == "gepa_internal_error"
    assert told["exit_code"] == 70
    assert os.path.exists(told["hint"].split()[-1])  # noqa: PTH110 - the hint is text


@pytest.mark.parametrize("args", [("run", "--json"), ("run", "--cofnig", "x", "--json"), ("rnu", "--json")])
def test_wrong_usage_is_told_as_json(shell, args: tuple[str, ...]) -> None:
    done = shell.run(*args)
    told = json.loads(done.stdout)["error"]
    assert (done.exit_code, told["error_code"], told["exit_code"]) == (2, "gepa_usage_error", 2)


def test_what_others_say_cannot_steer_the_terminal(shell, explode) -> None:
    explode(RunFailedError("the container said \x1b]0;owned\x07 and \x1b[2J"))
    assert not set(shell.run("run", "--config", "x").stderr) & {"\x1b", "\x07"}


def test_a_replay_that_decides_otherwise_is_not_blamed_on_the_framework_alone(shell, explode) -> None:
    explode(ReplayDivergenceError("input 3, event 1"))
    done = shell.run("run", "--config", "gepa.toml")
    assert done.exit_code == 70
    _, cause, cure = done.stderr.splitlines()
    assert "a stopper that goes by more than its views" in cause
    assert cure.startswith("next: if it is neither, report it with the file ")
