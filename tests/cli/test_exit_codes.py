from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from gepa_framework import app, errors
from gepa_framework.errors import ExitCode, GepaError

#: What the process ends with, by the class of the error; the rest ends with what its base ends with.
TABLE = {
    "GepaError": 1,
    "ConfigError": 3,
    "PluginError": 4,
    "PluginNotFoundError": 4,
    "PluginLockError": 4,
    "ContainerContractError": 5,
    "TransportError": 5,
    "ProposerError": 1,
    "BudgetExceededError": 3,
    "DiskBudgetError": 5,
    "CancelledError": 1,
    "InterruptedRunError": 130,
    "RunFailedError": 1,
    "WorkspaceError": 5,
    "WorkspaceLockedError": 5,
    "ReplayDivergenceError": 70,
    "InvariantError": 70,
}


def descendants(base: type[GepaError]) -> Iterator[type[GepaError]]:
    yield base
    for child in base.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from descendants(child)


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def from_toml(*args, **kwargs):
        raise error

    monkeypatch.setattr(app.GepaRun, "from_toml", from_toml)


@pytest.mark.parametrize("kind", list(descendants(GepaError)), ids=lambda kind: kind.__name__)
def test_every_error_ends_with_its_exit_code(shell, monkeypatch, kind) -> None:
    raising(monkeypatch, kind("it went wrong", hint="mend it"))
    done = shell.run("run", "--config", "gepa.toml")
    assert done.exit_code == TABLE.get(kind.__name__, int(kind.exit_code))
    assert done.stdout == ""
    assert "it went wrong" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_table_knows_only_errors_that_exist() -> None:
    assert set(TABLE) <= {kind.__name__ for kind in descendants(GepaError)}


@pytest.mark.parametrize("kind", list(descendants(GepaError)), ids=lambda kind: kind.__name__)
def test_every_error_is_told_as_json(shell, monkeypatch, kind) -> None:
    raising(monkeypatch, kind("it went wrong", hint="mend it"))
    done = shell.run("run", "--config", "gepa.toml", "--json")
    told = json.loads(done.stdout)
    assert told["schema"] == 1
    assert told["error"]["error_code"] == kind.error_code
    assert told["error"]["exit_code"] == done.exit_code
    assert "it went wrong" in told["error"]["message"]


def test_a_finished_run_ends_with_zero(shell) -> None:
    assert shell.run("run", "--config", "gepa.toml", "--display", "none").exit_code == ExitCode.OK


def test_ctrl_c_outside_of_a_run_ends_with_130(shell, monkeypatch) -> None:
    raising(monkeypatch, KeyboardInterrupt())
    done = shell.run("run", "--config", "gepa.toml")
    assert (done.exit_code, done.stderr.split()) == (130, ["interrupted"])


@pytest.mark.parametrize(
    ("mood", "code"),
    [("absent", 5), ("broken", 4), ("failing", 1)],
)
def test_a_run_that_fails_ends_with_the_code_of_its_cause(shell, mood: str, code: int) -> None:
    shell.config(**{'"skills"': f'"skills"\nmood = "{mood}"'})
    done = shell.run("run", "--config", "gepa.toml", "--display", "none")
    assert done.exit_code == code
    assert done.stdout == ""
    assert f"the run's files are in {shell.path / 'runs' / 'first'}" in done.stderr


def test_another_run_of_one_name_is_refused_before_it_begins(shell) -> None:
    assert shell.run("run", "--config", "gepa.toml", "--display", "none").exit_code == 0
    done = shell.run("run", "--config", "gepa.toml", "--display", "none", "--set", "run.seed=8")
    assert done.exit_code == ExitCode.ENVIRONMENT
    told, cure = done.stderr.splitlines()
    place = "error: --set run.seed: run.seed: "
    assert told == f"{place}the run in {shell.path / 'runs' / 'first'} has 7 here, and this configuration 8"
    assert cure == "next: choose another run.run_id"
