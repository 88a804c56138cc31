from __future__ import annotations

import json
import os
import signal
import sqlite3
from contextlib import closing

import pytest

from gepa_framework import GepaRun
from gepa_framework.app import check_workspace, rebuild_workspace
from gepa_framework.errors import (
    InterruptedRunError,
    RunFailedError,
    WorkspaceError,
    WorkspaceLockedError,
)
from gepa_framework.workspace import WorkspaceLock

FEEDS = ("events.jsonl", "events.normalized.jsonl")
EXPORTS = (
    *("candidate_registry.json", "frontier.json", "best_candidate.json", "score_chart.svg"),
    *("cache_profile.json", "result_manifest.json"),
)


@pytest.fixture
def finished(project):
    project.run(cache='mode = "readwrite"\nbackend = "memory"').execute()
    return project.directory()


def contents(run_dir):
    """Give every file but the database, and every row and view of that, however they are laid out."""
    found = {path.name: path.read_bytes() for path in run_dir.iterdir() if path.suffix != ".sqlite"}
    with closing(sqlite3.connect(run_dir / "workspace.sqlite")) as database:
        return found, sorted(database.iterdump())


def change(run_dir, *statements):
    with closing(sqlite3.connect(run_dir / "workspace.sqlite")) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


def without_its_own_digest(found):
    """Leave the digest of the database out of the manifest, and its own, which changes with it."""
    files, rows = found
    manifest = json.loads(files["result_manifest.json"])
    del manifest["manifest_sha256"]
    for ref in manifest["artifact_refs"]:
        if ref["kind"] == "workspace":
            ref["sha256"] = ref["bytes"] = None
    return {**files, "result_manifest.json": json.dumps(manifest)}, rows


def test_an_intact_run_is_left_as_it_is(finished):
    before = contents(finished)
    database = (finished / "workspace.sqlite").read_bytes()
    times = {path.name: path.stat().st_mtime_ns for path in finished.iterdir()}
    done = rebuild_workspace(finished)
    assert (done.run_id, done.changed) == ("r1", ())
    assert set(done.kept) == {*FEEDS, *EXPORTS} - {"cache_profile.json"}
    assert contents(finished) == before
    assert (finished / "workspace.sqlite").read_bytes() == database
    same = {path.name: path.stat().st_mtime_ns for path in finished.iterdir()}
    del same["workspace.lock"], times["workspace.lock"]
    assert same == times


@pytest.mark.parametrize("name", [*FEEDS, *EXPORTS])
@pytest.mark.parametrize("damage", ["gone", "torn", "another"])
def test_a_file_is_restored_byte_for_byte(finished, name, damage):
    before, path = contents(finished), finished / name
    if damage == "gone":
        path.unlink()
    elif damage == "torn":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    else:
        path.write_text("{}\n")
    assert rebuild_workspace(finished).changed == (name,)
    assert contents(finished) == before


@pytest.mark.parametrize(
    ("statement", "changed"),
    [
        ("DROP VIEW rollouts", "views"),
        ("CREATE VIEW another AS SELECT 1", "views"),
        ("DELETE FROM checkpoints", "checkpoints"),
        ("UPDATE checkpoints SET tallies = '{'", "checkpoints"),
        ("UPDATE checkpoints SET seq = 1, kind = 'interval', elapsed_us = 7", "checkpoints"),
        ("INSERT INTO checkpoints VALUES (1000000, 1000000, 'interval', 1, '{}')", "checkpoints"),
    ],
)
def test_what_is_derived_in_the_database_is_restored_row_for_row(finished, statement, changed):
    before = contents(finished)
    change(finished, statement)
    assert contents(finished)[1] != before[1]
    done = rebuild_workspace(finished)
    # The manifest has the digest of the database, whose pages may be others though its rows are the same.
    assert [name for name in done.changed if name != "result_manifest.json"] == [changed]
    assert without_its_own_digest(contents(finished)) == without_its_own_digest(before)
    assert rebuild_workspace(finished).changed == ()
    assert check_workspace(finished).ok


def test_a_view_that_was_replaced_is_restored(finished):
    before = contents(finished)
    change(finished, "DROP VIEW candidates", "CREATE VIEW candidates AS SELECT 1 AS candidate_id")
    assert rebuild_workspace(finished).changed == ("views", "result_manifest.json")
    assert contents(finished)[1] == before[1]


def test_an_older_schema_is_brought_to_the_present_one(project):
    project.run().execute()
    run_dir = project.directory()
    before = contents(run_dir)
    with closing(sqlite3.connect(run_dir / "workspace.sqlite")) as database:
        views = database.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall()
    change(
        run_dir,
        *(f"DROP VIEW {name}" for (name,) in views),
        "DROP TABLE checkpoints",
        "DROP TABLE artifact_refs",
        "ALTER TABLE inputs DROP COLUMN access",
        "UPDATE alembic_version SET version_num = '0002'",
    )
    assert rebuild_workspace(run_dir).changed == ("schema", "checkpoints", "result_manifest.json")
    assert len(contents(run_dir)[1]) == len(before[1])
    assert check_workspace(run_dir).ok


def test_a_report_of_before_is_taken_away(finished):
    change(finished, "UPDATE checkpoints SET kind = 'interval'")
    assert not check_workspace(finished).ok
    rebuild_workspace(finished)
    assert not (finished / "workspace_check.json").exists()


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE events SET body = json_set(body, '$.rationale', 'x') WHERE seq = 6", "event 6"),
        ("UPDATE inputs SET payload = '{}' WHERE position = 9", "input 9"),
        ("DELETE FROM events WHERE seq = 9", "input"),
        ("DELETE FROM blobs WHERE rowid = 1", "there is no text"),
        ("UPDATE meta SET value = '[run]' WHERE key = 'config_text'", "recorded of the run"),
    ],
)
def test_a_damaged_journal_is_refused_with_the_row_and_nothing_is_changed(finished, statement, named):
    (finished / "frontier.json").unlink()
    change(finished, statement, "DROP VIEW rollouts")
    before = contents(finished)
    with pytest.raises(WorkspaceError, match=named):
        rebuild_workspace(finished)
    assert contents(finished) == before


def test_feeds_that_know_more_than_the_journal_are_not_thrown_away(finished):
    path = finished / "events.jsonl"
    path.write_text(path.read_text() + '{"seq":99999,"type":"x"}\n')
    with pytest.raises(WorkspaceError, match="it has lost rows"):
        rebuild_workspace(finished)


def test_a_run_that_somebody_works_on_is_left_alone(finished):
    lock = WorkspaceLock(finished)
    try:
        with pytest.raises(WorkspaceLockedError, match=f"process {os.getpid()}"):
            rebuild_workspace(finished)
    finally:
        lock.release()


def test_a_directory_that_is_no_run_is_left_alone(tmp_path):
    with pytest.raises(WorkspaceError, match="is not the directory of a run"):
        rebuild_workspace(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_stays_one_and_can_be_resumed(project, at):
    listener = at("iteration.started", 3, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(InterruptedRunError):
        project.run().execute(listeners=[listener], handle_signals=True)
    before = contents(project.directory())
    assert rebuild_workspace(project.directory()).changed == ()
    assert contents(project.directory()) == before
    (project.directory() / "result_manifest.json").unlink()
    assert rebuild_workspace(project.directory()).changed == ("result_manifest.json",)
    assert project.read("result_manifest.json")["status"] == "interrupted"
    assert GepaRun.resume(project.directory()).execute().status == "finished"


def test_what_broke_a_leg_stays_in_the_manifest(project):
    with pytest.raises(RunFailedError):
        project.run(container="failing_share = 1.0").execute()
    before = contents(project.directory())
    assert rebuild_workspace(project.directory()).changed == ()
    assert contents(project.directory()) == before


def test_a_registry_that_is_lost_tells_how_the_run_stands(project, finished):
    (project.path / "runs" / "run_registry.jsonl").unlink()
    assert rebuild_workspace(finished).changed == ("run_registry.jsonl",)
    assert project.registry() == [("r1", "finished")]


def test_a_run_in_another_store_has_its_files_restored(project):
    project.run(more='[store]\nuse = "lines"').execute()
    run_dir = project.directory()
    before = {path.name: path.read_bytes() for path in run_dir.iterdir()}
    (run_dir / "frontier.json").unlink()
    (run_dir / "events.jsonl").write_text("")
    assert rebuild_workspace(run_dir).changed == ("events.jsonl", "frontier.json")
    assert {path.name: path.read_bytes() for path in run_dir.iterdir()} == before


def test_no_draft_is_left_where_a_file_cannot_be_replaced(finished):
    (finished / "frontier.json").unlink()
    (finished / "frontier.json").mkdir()
    with pytest.raises(WorkspaceError, match=r"frontier\.json"):
        rebuild_workspace(finished)
    assert not [path for path in finished.iterdir() if path.name.startswith(".")]
