from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from gepa_framework.workspace import WorkspaceLock


@pytest.fixture
def finished(shell):
    shell.run("run", "--config", "gepa.toml", "--display", "none")
    return shell.path / "runs" / "first"


def test_one_run_is_a_page_of_its_own(shell, finished):
    done = shell.run("status", "first")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "first in runs/first" in done.stdout
    for told in ("finished", "total rollouts", "rollout.completed", "never checked"):
        assert told in done.stdout
    assert "\x1b" not in done.stdout
    assert "not fresh" not in done.stdout


def test_json_is_what_python_gives(shell, finished):
    from gepa_framework import workspace_status

    told = json.loads(shell.run("status", "first", "--json").stdout)
    assert told == {"schema": 1, **json.loads(json.dumps(workspace_status("runs/first")))}


def test_the_runs_are_a_table_where_none_is_named(shell, finished):
    bad = finished.parent / "second"
    bad.mkdir()
    (bad / "workspace.sqlite").write_text("no database")
    done = shell.run("status")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].split() == [
        *("run", "state", "rollouts", "candidates", "best", "score", "cost", "worked", "stale", "checked")
    ]
    assert any(line.split()[:2] == ["first", "finished"] for line in lines)
    assert any(line.split()[:2] == ["second", "unreadable"] for line in lines)
    assert "is not a workspace" in lines[-1]


def test_a_directory_without_runs_says_so(shell, tmp_path):
    (tmp_path / "empty").mkdir()
    done = shell.run("status", str(tmp_path / "empty"))
    assert (done.exit_code, done.stdout.startswith("there are no runs in")) == (0, True)


def test_a_run_that_is_not_there_is_a_usage_error_that_names_the_nearest(shell, finished):
    done = shell.run("status", "frist")
    assert done.exit_code == 2
    assert "Did you mean 'first'?" in done.stderr


def test_a_run_that_cannot_be_read_is_an_error(shell, finished):
    (finished / "workspace.sqlite").write_text("no database")
    done = shell.run("status", "first", "--json")
    assert done.exit_code == 5
    assert json.loads(done.stdout)["error"]["error_code"] == "gepa_workspace_error"


def test_watching_ends_with_what_is_watched(shell, finished):
    done = shell.run("status", "first", "--watch", "3600", "--json")
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == 1


def test_watching_looks_again_until_nobody_works_on_it(shell, finished, monkeypatch):
    from gepa_framework import app

    given = app.workspace_status
    looks = []

    def look(path: Path):
        looks.append(path)
        found = given(path)
        found["run_state_counts"] = {"running": 1} if len(looks) < 3 else {"finished": 1}
        found["look"] = min(len(looks), 2)
        return found

    waited = []
    monkeypatch.setattr(app, "workspace_status", look)
    monkeypatch.setattr("time.sleep", waited.append)
    done = shell.run("status", "first", "--watch", "60", "--json")
    assert [len(looks), len(waited), len(done.stdout.splitlines())] == [3, 2, 3]
    assert all(0 < pause <= 1 for pause in waited)


def test_watching_is_bounded(shell, finished):
    assert shell.run("status", "first", "--watch", "1e9").exit_code == 2
    lock = WorkspaceLock(finished)
    try:
        ended = threading.Event()

        def watch() -> None:
            shell.run("status", "first", "--watch", "0.01")
            ended.set()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        watcher.join(30)
        assert ended.is_set()
    finally:
        lock.release()
