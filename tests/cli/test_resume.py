from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from gepa_framework.cli.places import find_run


@pytest.fixture
def finished(shell) -> Path:
    shell.run("run", "--config", "gepa.toml", "--display", "none")
    return shell.path / "runs" / "first"


@pytest.mark.parametrize("name", ["first", "runs/first"])
def test_a_run_is_found_by_its_id_and_by_its_directory(finished, name: str) -> None:
    assert find_run(name).samefile(finished)


def test_a_run_that_is_not_there_is_answered_with_its_neighbour(shell, finished) -> None:
    with pytest.raises(click.BadParameter, match=r"none in \./runs\. Did you mean 'first'\?"):
        find_run("frist")
    assert shell.run("resume", "frist").exit_code == 2


def test_without_runs_nothing_is_suggested(shell) -> None:
    with pytest.raises(click.BadParameter, match=r"none in \./runs$"):
        find_run("first")


def test_a_directory_without_a_run_is_an_error_of_the_workspace(shell) -> None:
    (shell.path / "empty").mkdir()
    done = shell.run("resume", "empty")
    assert done.exit_code == 5
    assert done.stderr.splitlines()[-1] == "next: name the directory of a run"


def test_resuming_a_finished_run_tells_its_result_again(shell, finished) -> None:
    before = json.loads((finished / "result_manifest.json").read_text())
    done = shell.run("resume", "first", "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert (told["best_candidate_id"], told["rollouts"]) == (before["best_candidate_id"], before["rollouts"])


def test_changed_plugins_are_refused_until_they_are_accepted(shell, finished) -> None:
    info = shell.site / "gf_cli_fakes-1.2.dist-info" / "METADATA"
    info.write_text(info.read_text().replace("1.2", "1.3"))
    assert shell.run("resume", "first").exit_code == 4
    assert shell.run("resume", "first", "--accept-changed-plugins").exit_code == 0


def test_what_is_no_database_is_an_error_of_the_workspace(shell, finished) -> None:
    (finished / "workspace.sqlite").write_text("no database")
    done = shell.run("resume", "first")
    assert done.exit_code == 5
    assert "workspace.sqlite" in done.stderr


def test_a_finished_run_goes_on_with_a_higher_limit(shell, finished) -> None:
    done = shell.run("resume", "first", "--extend", "gepa.max_generations=6", "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert (told["iterations"], told["extensions"]) == (6, ["gepa.max_generations=6"])
    lines = done.stderr.splitlines()
    assert lines[0].startswith("run first in ")
    assert [line for line in lines if line.endswith("limits raised: gepa.max_generations=6")]
    assert [line for line in lines if "iteration 5: " in line]
    assert not [line for line in lines if "iteration 4: " in line]


@pytest.mark.parametrize(
    ("arguments", "code", "cure"),
    [
        (["gepa.seed=1"], 3, "is no limit that can be raised"),
        (["gepa.max_generations=2"], 3, "is 4 now and can only be raised"),
        (["gepa.max_total_rollouts=900"], 3, "next: raise that limit, or raise it further"),
    ],
)
def test_what_cannot_be_raised_is_refused_with_the_cure(shell, finished, arguments, code, cure) -> None:
    before = {path.name: path.read_bytes() for path in finished.iterdir()}
    options = [part for argument in arguments for part in ("--extend", argument)]
    done = shell.run("resume", "first", "--display", "none", *options)
    assert done.exit_code == code
    assert cure in done.stderr.splitlines()[-1]
    assert {path.name: path.read_bytes() for path in finished.iterdir()} == before
