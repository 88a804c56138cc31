"""Every command of inspection takes every run, whatever became of it, and leaves it as it is."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gepa_framework.workspace import WorkspaceLock, create_database

DISTRIBUTIONS = Path(__file__).parents[1] / "distributions"
META = {"run_id": "first", "framework": "0.1.0", "config_text": "", "config_file": "", "base_dir": ""}
COMMANDS = {
    "list": ("runs", "list"),
    "show run": ("runs", "show", "first"),
    "du": ("runs", "du"),
    "show": ("show", "first"),
    "markdown": ("report", "first", "--md"),
    "html": ("report", "first", "--html", "-"),
}
OF_CANDIDATES = {
    "show": ("show", "first", "seed"),
    "diff": ("diff", "first", "seed", "best"),
    "unified": ("diff", "first", "seed", "best", "--unified"),
    "why": ("why", "first", "best"),
}


@pytest.fixture
def state(request, shell, monkeypatch):
    """Bring the run ``first`` into a state."""
    if request.param == "empty":
        directory = shell.path / "runs" / "first"
        directory.mkdir(parents=True)
        create_database(directory / "workspace.sqlite", META).close()
    elif request.param == "third-party":
        monkeypatch.syspath_prepend(DISTRIBUTIONS)
        shell.config(**{"[cache]\n": '[store]\nuse = "lines"\n\n[cache]\n'})
        assert shell.run("run", "--config", "gepa.toml", "--display", "none").exit_code == 0
        assert not (shell.path / "runs" / "first" / "workspace.sqlite").exists()
    elif request.param == "failed":
        shell.config(**{'transport = "skills"': 'transport = "skills"\nmood = "failing"'})
        assert shell.run("run", "--config", "gepa.toml", "--display", "none").exit_code == 1
    else:
        request.getfixturevalue("finished")
    if request.param in ("interrupted", "running", "cancelled"):
        request.getfixturevalue("cut_off")("gepa.stop")
    if request.param == "cancelled":
        with closing(sqlite3.connect("runs/first/workspace.sqlite")) as database:
            database.execute(
                "INSERT INTO events SELECT seq + 1, position, 'gepa.run.cancelled', elapsed_us, "
                """'{"reason":"enough"}', chain FROM events ORDER BY seq DESC LIMIT 1"""
            )
            database.commit()
    lock = WorkspaceLock(Path("runs/first")) if request.param == "running" else None
    yield request.param
    if lock is not None:
        lock.release()


STATES = ["finished", "failed", "interrupted", "running", "cancelled", "empty", "third-party"]
every_state = pytest.mark.parametrize("state", STATES, indirect=True)


def snapshot():
    beside = ("-wal", "-shm")
    return {
        path.name: path.read_bytes()
        for path in Path("runs/first").iterdir()
        if not path.name.endswith(beside)
    }


@every_state
def test_every_command_works_on_every_run_and_changes_nothing(shell, state) -> None:
    before = snapshot()
    for arguments in COMMANDS.values():
        done = shell.run(*arguments)
        assert (done.exit_code, done.stderr) == (0, ""), (arguments, done.stdout)
        assert done.stdout
    assert snapshot() == before


@every_state
def test_the_status_of_a_run_is_told(shell, state) -> None:
    (row,) = json.loads(shell.run("runs", "list", "--json").stdout)["runs"]
    expected = {"third-party": "finished"}.get(state, state)
    assert (row["status"], row["problem"]) == (expected, "")
    assert bool(row["holder"]) is (state == "running")
    shown = json.loads(shell.run("runs", "show", "first", "--json").stdout)
    assert shown["standing"]["status"] == expected


@every_state
def test_commands_about_candidates_tell_of_one_or_that_there_is_none(shell, state) -> None:
    for arguments in OF_CANDIDATES.values():
        done = shell.run(*arguments)
        if state == "empty":
            assert done.exit_code == 2
            assert "the run has no candidate yet" in done.stderr
        elif state == "failed" and "best" in arguments:
            assert done.exit_code == 2
            assert "the run has no best candidate yet" in done.stderr
        else:
            assert done.exit_code == 0, done.stderr


@every_state
def test_json_has_the_same_shape_for_every_run(shell, state) -> None:
    def keys(*arguments):
        return set(json.loads(shell.run(*arguments, "--json").stdout))

    report = {"schema", "overview", "curve", "candidates", "frontier", "heatmap", "log", "sections"}
    assert keys("report", "first") == report
    assert keys("show", "first") == {"schema", "overview", "candidate", "lineage", "log"}
    assert keys("runs", "list") == {"schema", "directory", "runs"}
    assert keys("runs", "du") == {"schema", "directory", "bytes", "runs"}


def test_a_run_that_another_process_writes_can_be_read_and_written_meanwhile(shell, cut_off) -> None:
    path = cut_off("gepa.stop") / "workspace.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO meta VALUES ('x', 'y')")
        assert shell.run("report", "first", "--md").exit_code == 0
        writer.execute("COMMIT")


def test_one_bad_run_does_not_take_the_others_away(shell, finished) -> None:
    shutil.copytree(finished, finished.parent / "bad")
    (finished.parent / "bad" / "workspace.sqlite").write_bytes(b"no database at all, not a bit of it")
    (finished.parent / "not-a-run").mkdir()
    rows = {row["run_id"]: row for row in json.loads(shell.run("runs", "list", "--json").stdout)["runs"]}
    assert set(rows) == {"first", "bad"}
    assert (rows["first"]["status"], rows["bad"]["status"]) == ("finished", "unreadable")
    assert "not a database" in rows["bad"]["problem"]
    assert "not a database" in shell.run("runs", "list").stdout
    done = shell.run("show", "bad")
    assert done.exit_code == 5
    assert "not a database" in done.stderr


def test_a_damaged_event_is_named(shell, finished, reworded) -> None:
    reworded('"iteration":1,', '"iteration":')
    done = shell.run("report", "first", "--md")
    assert done.exit_code == 5
    assert "is not what was written" in done.stderr
    assert "gepa verify" in done.stderr


def test_a_store_whose_plugin_is_gone_is_named_in_the_list(shell, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        patch.syspath_prepend(DISTRIBUTIONS)
        shell.config(**{"[cache]\n": '[store]\nuse = "lines"\n\n[cache]\n'})
        assert shell.run("run", "--config", "gepa.toml", "--display", "none").exit_code == 0
    (row,) = json.loads(shell.run("runs", "list", "--json").stdout)["runs"]
    assert row["status"] == "unreadable"
    assert "gepa-fakes:lines" in row["problem"]
    assert shell.run("show", "first").exit_code == 4
