from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from gepa_framework import GepaRun
from gepa_framework.app.guards import GuardedStore
from gepa_framework.app.reading import read_run
from gepa_framework.builtin.sqlite_store import SqliteStore
from gepa_framework.errors import WorkspaceError
from gepa_framework.workspace import (
    REVISION,
    check_database,
    check_revision,
    open_database,
    readable,
)
from gepa_framework.workspace.views import VIEWS


def everything(database, *but):
    return {
        name: sorted(map(repr, database.execute(f"SELECT * FROM {name}")))
        for name in VIEWS
        if name not in but
    }


def alter(path, *statements):
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_a_journal_that_is_copied_out_of_a_store_gives_the_same_rows(plain):
    store = SqliteStore(plain.directory / "workspace.sqlite")
    store.open(readonly=True)
    with closing(store):
        copy = readable(plain.directory, store)
    with closing(copy):
        # Only that file keeps what others are, and how far the run had come when it was counted.
        but = ("stopper_states", "manifests", "manifest_artifacts")
        assert everything(copy, *but) == everything(plain.database, *but)
        assert copy.execute("SELECT count(*) FROM manifests").fetchone() == (0,)
        counted = [row[4:] for row in copy.execute("SELECT * FROM stopper_states WHERE kind = 'now'")]
        assert counted == [row[4:] for row in plain.database.execute("SELECT * FROM stopper_states")]


def test_a_run_in_another_store_is_read_by_its_directory(ran):
    here, there = ran("plain"), ran("there", more='[store]\nuse = "lines"')
    assert not (there.directory / "workspace.sqlite").exists()
    for view in ("candidates", "rollouts", "frontier_cells", "acceptance_decisions", "evidence_frames"):
        assert there.query(f"SELECT * FROM {view}") == here.query(f"SELECT * FROM {view}")


def test_nothing_can_be_written(plain, copied):
    for database in (plain.database, readable(copied)):
        with pytest.raises(sqlite3.OperationalError, match=r"readonly|read-only|query_only|attempt to write"):
            database.execute("DELETE FROM events")
        if database is not plain.database:
            database.close()


#: What brings a database one schema back, newest first; views of then are told of by one of them.
BACK = {
    "0005": ("CREATE VIEW candidates AS SELECT 1",),
    "0004": ("DROP TABLE artifact_refs",),
    "0003": (),
    "0002": ("DROP TABLE checkpoints", "ALTER TABLE inputs DROP COLUMN access"),
    "0001": ("DROP TABLE blobs", "CREATE UNIQUE INDEX inputs_effect_id ON inputs (effect_id)"),
}
#: What a schema does not keep, and the views that have no rows of it.
WITHOUT = {
    "0004": ("manifests", "manifest_artifacts"),
    "0002": (
        *("stopper_states", "cache_accesses", "cache_profiles"),
        *("rollout_jobs", "proposals", "subagent_invocations"),
    ),
    "0001": ("evidence_frames", "plan_links"),
}


def brought_back(path, revision, views):
    """Give a database the schema of a revision; give the views that lost something by it."""
    alter(path, *(f"DROP VIEW {name}" for name in views))
    lost = ()
    for each, statements in BACK.items():
        if each >= revision:
            alter(path, *statements)
            lost += WITHOUT.get(each, ())
    alter(path, f"UPDATE alembic_version SET version_num = '{revision}'")
    return lost


@pytest.mark.parametrize("revision", BACK)
def test_a_run_of_an_older_schema_is_read_with_todays_views_and_left_alone(copied, plain, revision):
    path = copied / "workspace.sqlite"
    views = plain.column("SELECT name FROM sqlite_master WHERE type = 'view'")
    lost = brought_back(path, revision, views)
    before = path.read_bytes()
    with closing(readable(copied)) as database:
        assert everything(database, *lost) == everything(plain.database, *lost)
        used = dict(database.execute("SELECT name, used FROM stopper_states"))
    assert used == dict(plain.database.execute("SELECT name, used FROM stopper_states"))
    assert path.read_bytes() == before


@pytest.mark.parametrize("revision", BACK)
def test_a_run_of_an_older_schema_that_is_gone_on_with_is_as_sound_as_any(copied, plain, revision):
    path = copied / "workspace.sqlite"
    views = plain.column("SELECT name FROM sqlite_master WHERE type = 'view'")
    lost = brought_back(path, revision, views)
    open_database(path).close()
    with closing(readable(copied)) as database:
        assert check_revision(database, path) == REVISION
        if revision > "0001":  # of long texts, and of requests, the first schema kept nothing
            assert check_database(database, path) == ()
        assert everything(database, *lost) == everything(plain.database, *lost)


def test_what_is_no_run_is_refused_with_words(tmp_path):
    for read in (readable, read_run):
        with pytest.raises(WorkspaceError, match="does not exist"):
            read(tmp_path / "nowhere")


def test_a_newer_run_is_refused_with_words(copied):
    alter(copied / "workspace.sqlite", "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(WorkspaceError, match="upgrade gepa-framework"):
        readable(copied)


def test_a_text_that_another_store_has_lost_is_named(ran, monkeypatch):
    there = ran("there", more='[store]\nuse = "lines"')
    monkeypatch.setattr(GuardedStore, "blob", lambda *_: None)
    with pytest.raises(WorkspaceError, match="there is no text"):
        read_run(there.directory)


class Looks:
    """Reads the record of a run that goes on, at the first event of each type."""

    def __init__(self, directory):
        self.directory = directory
        self.seen = {}

    def on_event(self, event):
        if event.type not in self.seen:
            with closing(read_run(self.directory)) as database:
                self.seen[event.type] = {
                    "seq": event.seq,
                    "events": database.execute("SELECT count(*) FROM event_stream_events").fetchone()[0],
                    "proposals": dict(database.execute("SELECT effect_id, status FROM proposals")),
                    "iterations": dict(database.execute("SELECT iteration, outcome FROM iterations")),
                    "used": dict(database.execute("SELECT name, used FROM stopper_states")),
                    "state": database.execute(
                        "SELECT to_state FROM state_transitions WHERE entity_type = 'run' ORDER BY seq DESC"
                    ).fetchone()[0],
                }

    def close(self): ...


def test_a_run_is_read_while_it_goes_on(ran, world):
    ran("plain")
    text = (world / "plain.toml").read_text().replace('run_id = "plain"', 'run_id = "live"')
    (world / "live.toml").write_text(text)
    looks = Looks(world / "runs" / "live")
    GepaRun.from_toml(world / "live.toml", environ={}).execute(listeners=[looks])
    assert all(seen["events"] >= seen["seq"] for seen in looks.seen.values())
    asked = looks.seen["proposer.started"]
    assert asked["proposals"] == {"proposal/1": "pending"}
    assert asked["iterations"] == {1: "running"}
    assert (asked["state"], asked["used"]["train_rollouts"], asked["used"]["iterations"]) == (
        "searching",
        11,
        1,
    )
    assert looks.seen["gepa.run.started"]["state"] == "initializing"
    assert looks.seen["heldout.started"]["state"] == "heldout"
