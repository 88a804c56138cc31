from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from gepa_framework.workspace import WorkspaceLock


@pytest.fixture
def finished(shell):
    shell.run("run", "--config", "gepa.toml", "--display", "none")
    return shell.path / "runs" / "first"


def change(run_dir, statement):
    with closing(sqlite3.connect(run_dir / "workspace.sqlite")) as database:
        assert database.execute(statement).rowcount
        database.commit()


def test_a_sound_record_is_said_to_be_sound(shell, finished):
    done = shell.run("workspace", "check", "first")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "checked: the record is sound"
    assert "0 violated" in done.stdout
    assert (finished / "workspace_check.json").is_file()
    assert "checked, 0 violations" in shell.run("status", "first").stdout


def test_a_sound_record_is_ok_as_json(shell, finished):
    told = json.loads(shell.run("workspace", "check", "runs/first/workspace.sqlite", "--json").stdout)
    assert (told["ok"], told["state"], told["damage"], told["violations"]) == (True, "finished", [], [])
    assert "error" not in told


def test_a_violation_is_told_with_its_row_and_ends_with_its_code(shell, finished):
    change(finished, "UPDATE checkpoints SET kind = 'interval'")
    done = shell.run("workspace", "check", "first")
    assert done.exit_code == 70
    assert "(checkpoints_say_where_a_run_ended)" in done.stdout
    assert done.stderr.splitlines()[-1] == "next: gepa workspace rebuild makes the checkpoints again"
    told = json.loads(shell.run("workspace", "check", "first", "--json").stdout)
    assert told["error"]["error_code"] == "gepa_invariant_error"
    assert told["error"]["exit_code"] == 70
    assert [each["invariant_id"] for each in told["violations"]] == ["checkpoints_say_where_a_run_ended"]


def test_a_damaged_journal_ends_with_its_code(shell, finished):
    change(finished, "UPDATE events SET body = json_set(body, '$.rationale', 'x') WHERE seq = 6")
    done = shell.run("workspace", "check", "first", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["error"]["error_code"]) == (5, "gepa_workspace_error")
    assert "event 6 is not what was written" in told["damage"][0]
    again = shell.run("workspace", "rebuild", "first")
    assert again.exit_code == 5
    assert "event 6 is not what was written" in again.stderr


def test_what_is_stale_can_be_made_again(shell, finished):
    (finished / "frontier.json").unlink()
    done = shell.run("workspace", "check", "first")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == "next: gepa workspace rebuild runs/first"
    rebuilt = shell.run("workspace", "rebuild", "first")
    assert (rebuilt.exit_code, rebuilt.stderr) == (0, "")
    assert rebuilt.stdout.splitlines()[-1].split() == ["made", "again", "frontier.json"]
    assert shell.run("workspace", "check", "first").exit_code == 0
    told = json.loads(shell.run("workspace", "rebuild", "first", "--json").stdout)
    assert (told["ok"], told["changed"]) == (True, [])


def test_a_run_that_somebody_works_on_is_not_rebuilt(shell, finished):
    lock = WorkspaceLock(finished)
    try:
        done = shell.run("workspace", "rebuild", "first")
    finally:
        lock.release()
    assert done.exit_code == 5
    assert "is in use by process" in done.stderr


def test_a_report_that_cannot_be_left_is_a_warning(shell, finished):
    (finished / "workspace_check.json").mkdir()
    done = shell.run("workspace", "check", "first")
    assert done.exit_code == 0
    assert done.stderr.startswith("warning: the report could not be left")


def test_alone_it_shows_its_help(shell):
    done = shell.run("workspace")
    assert done.exit_code == 0
    assert "rebuild" in done.stdout
