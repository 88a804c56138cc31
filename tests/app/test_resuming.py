from __future__ import annotations

import json
import shutil
import signal
import sqlite3
from contextlib import closing

import pytest

from gepa_framework import GepaRun
from gepa_framework.builtin.sqlite_store import SqliteStore
from gepa_framework.errors import (
    InterruptedRunError,
    PluginLockError,
    ReplayDivergenceError,
    WorkspaceError,
    WorkspaceLockedError,
)
from gepa_framework.workspace import WorkspaceLock


@pytest.fixture
def whole(project):
    """Give the feed of a run that nobody interrupted, and how many rollouts it took."""
    project.run("whole", container="").execute()
    return project.normalised("whole")


def interrupted(project, at, count=1, name="iteration.started", **options):
    listener = at(name, count, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(InterruptedRunError) as caught:
        project.run(**options).execute(listeners=[listener], handle_signals=True)
    return caught.value


@pytest.mark.parametrize(
    ("name", "count"),
    [("gepa.run.started", 1), ("iteration.started", 1), ("iteration.started", 4), ("heldout.started", 1)],
)
def test_an_interrupted_run_goes_on_to_the_same_end(project, at, whole, name, count):
    error = interrupted(project, at, count, name)
    assert error.hint == f"gepa resume {project.directory()}"
    assert error.run_dir == str(project.directory())
    assert project.read("result_manifest.json")["status"] == "interrupted"
    result = GepaRun.resume(project.directory()).execute()
    assert result.status == "finished"
    assert project.normalised() == whole
    assert len(project.asked()) == len({line.split()[0] for line in project.asked()}) == result.rollouts
    states = [status for run_id, status in project.registry() if run_id == "r1"]
    assert states == ["started", "interrupted", "resumed", "finished"]


def test_every_file_of_an_interrupted_run_is_there(project, at):
    interrupted(project, at, 2)
    names = {path.name for path in project.directory().iterdir()}
    assert names >= {
        *("best_candidate.json", "cache_profile.json", "candidate_registry.json", "events.jsonl"),
        *("events.normalized.jsonl", "frontier.json", "plugins.lock.json", "result_manifest.json"),
        *("score_chart.svg", "workspace.sqlite"),
    }
    manifest = project.read("result_manifest.json")
    assert manifest["failure"]["error_code"] == "gepa_interrupted"
    assert manifest["failure"]["hint"] == f"gepa resume {project.directory()}"
    assert manifest["stopped_by"] is None
    assert manifest["best_candidate"]
    assert manifest["heldout"] == {}


def test_a_finished_run_gives_its_result_again_without_a_rollout(project, at):
    first = project.run().execute()
    asked, feed = len(project.asked()), project.normalised()
    listener = at("never", 1, lambda: None)
    again = GepaRun.resume(project.directory()).execute(listeners=[listener])
    assert len(project.asked()) == asked
    assert project.normalised() == feed
    assert [event.type for event in listener.heard] == project.types()
    for name in (
        "best_candidate",
        "best_score",
        "heldout",
        "stopped_by",
        "rollouts",
        "state_history",
        "usage",
    ):
        assert getattr(again, name) == getattr(first, name)


def test_lost_exports_are_made_again(project):
    project.run().execute()
    before = {path.name: path.read_bytes() for path in project.directory().glob("*.j*")}
    for path in project.directory().iterdir():
        if path.name != "workspace.sqlite":
            path.unlink()
    GepaRun.resume(project.directory()).execute()
    after = {path.name: path.read_bytes() for path in project.directory().glob("*.j*")}
    assert after.keys() == before.keys()
    for name in before.keys() - {"result_manifest.json", "plugins.lock.json", "cache_profile.json"}:
        assert after[name] == before[name], name
    assert json.loads(after["cache_profile.json"])["uncounted_legs"] == 1, "what is lost is not made up"
    assert json.loads(after["plugins.lock.json"]) == json.loads(before["plugins.lock.json"])


def test_a_failed_run_fails_again_with_the_same_words(project):
    from gepa_framework.errors import RunFailedError

    options = {"container": "failing_share = 1.0"}
    with pytest.raises(RunFailedError) as first:
        project.run(**options).execute()
    with pytest.raises(RunFailedError) as second:
        GepaRun.resume(project.directory()).execute()
    assert second.value.message == first.value.message


def test_a_run_may_be_moved_before_it_goes_on(project, at, whole):
    interrupted(project, at, 2)
    moved = project.path / "runs" / "moved"
    shutil.move(project.directory(), moved)
    result = GepaRun.resume(moved).execute()
    assert result.run_dir == moved
    assert result.run_id == "r1"
    assert project.normalised("moved") == whole


def test_a_configuration_that_changed_on_disk_does_not_matter(project, at, whole):
    interrupted(project, at, 2)
    (project.path / "r1.toml").unlink()
    GepaRun.resume(project.directory()).execute()
    assert project.normalised() == whole


def test_overrides_and_environment_are_remembered(project, at):
    config = project.write()
    environ = {"GEPA_RUN_ID": "from-environment"}
    listener = at("iteration.started", 1, lambda: signal.raise_signal(signal.SIGINT))
    run = GepaRun.from_toml(config, sets=["gepa.max_generations=2", "run.seed=9"], environ=environ)
    with pytest.raises(InterruptedRunError):
        run.execute(listeners=[listener], handle_signals=True)
    again = GepaRun.resume(run.run_dir)
    assert (again.run_id, again.plan.seed, again.plan.limits.iterations) == (run.run_id, 9, 2)
    assert again.plan == run.plan
    assert again.execute().iterations == 2


@pytest.mark.parametrize("place", ["nowhere", "."])
def test_what_is_no_run_cannot_be_gone_on_with(project, place):
    with pytest.raises(WorkspaceError, match=r"does not exist; name the directory of a run"):
        GepaRun.resume(project.path / place)


@pytest.mark.parametrize("content", [b"", b"rubbish" * 1000])
def test_rubbish_is_refused_with_words(project, content):
    directory = project.directory("odd")
    directory.mkdir(parents=True)
    (directory / "workspace.sqlite").write_bytes(content)
    with pytest.raises(WorkspaceError, match=r"workspace\.sqlite"):
        GepaRun.resume(directory)


def test_a_run_that_another_process_works_on_is_left_alone(project):
    project.run().execute()
    lock = WorkspaceLock(project.directory())
    before = (project.directory() / "events.jsonl").stat().st_mtime_ns
    with pytest.raises(WorkspaceLockedError, match="is in use by process"):
        GepaRun.resume(project.directory()).execute()
    assert (project.directory() / "events.jsonl").stat().st_mtime_ns == before
    lock.release()


def test_other_plugins_are_refused_unless_they_are_accepted(project, at):
    listener = "class Quiet:\n    def on_event(self, event): ...\n    def close(self): ...\n"
    project.offer("listener", "quiet", f"{listener}def make(context):\n    return Quiet()")
    interrupted(project, at, 2, more='[[listeners]]\nuse = "quiet"')
    metadata = project.site / "gf_app_quiet-1.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("1.0\n", "2.0\n"))
    with pytest.raises(PluginLockError, match="quiet"):
        GepaRun.resume(project.directory())
    result = GepaRun.resume(project.directory(), accept_changed_plugins=True).execute()
    assert result.status == "finished"


def edit(project, statement):
    with closing(sqlite3.connect(project.directory() / "workspace.sqlite")) as database:
        database.execute(statement)
        database.commit()


def test_a_journal_that_was_edited_is_refused(project):
    project.run().execute()
    feed = project.normalised()
    edit(project, "UPDATE inputs SET payload = replace(payload, '1.0', '0.0') WHERE kind = 'rollout'")
    with pytest.raises(WorkspaceError, match="is not what was written"):
        GepaRun.resume(project.directory()).execute()
    assert project.normalised() == feed


def test_a_configuration_that_was_edited_in_the_journal_is_refused(project):
    project.run().execute()
    edit(project, "UPDATE meta SET value = replace(value, 'seed = 3', 'seed = 4') WHERE key = 'config_text'")
    with pytest.raises((WorkspaceError, ReplayDivergenceError)):
        GepaRun.resume(project.directory()).execute()


def test_time_worked_before_counts_after_an_interrupt(project, at):
    interrupted(project, at, 3)
    with closing(sqlite3.connect(project.directory() / "workspace.sqlite")) as database:
        (before,) = database.execute("SELECT max(elapsed_us) FROM inputs").fetchone()
        (events,) = database.execute("SELECT max(elapsed_us) FROM events").fetchone()
    GepaRun.resume(project.directory()).execute()
    with closing(sqlite3.connect(project.directory() / "workspace.sqlite")) as database:
        times = [row[0] for row in database.execute("SELECT elapsed_us FROM inputs ORDER BY position")]
    assert times == sorted(times)
    assert times[-1] >= before >= events


def test_a_resumed_run_takes_the_clock_up_where_the_last_input_left_it(project, at, monkeypatch):
    """The last input may have no event of its own."""
    from gepa_framework.app import session

    interrupted(project, at, 3)
    with closing(sqlite3.connect(project.directory() / "workspace.sqlite")) as database:
        (last,) = database.execute("SELECT max(elapsed_us) FROM inputs").fetchone()
    seen = {}

    class Watch(session.Driver):
        def __init__(self, machine, **options):
            seen.update(options)
            super().__init__(machine, **options)

    monkeypatch.setattr(session, "Driver", Watch)
    # An event that is older than the input that came after it, as out-of-order rollouts leave it.
    from gepa_framework.engine import Tick
    from gepa_framework.workspace import Journal, Record, encode_control

    journal = Journal.open(SqliteStore(project.directory() / "workspace.sqlite"))
    journal.commit([Record(encode_control(Tick()), last + 5_000_000, ())])
    journal.close()
    GepaRun.resume(project.directory()).execute()
    assert seen["elapsed"] == pytest.approx((last + 5_000_000) / 1e6)


def test_the_manifest_of_a_resumed_run_covers_the_whole_run(project, at):
    interrupted(project, at, 3)
    GepaRun.resume(project.directory()).execute()
    manifest = project.read("result_manifest.json")
    assert manifest["rollouts"] == len({line.split()[0] for line in project.asked()})
    assert manifest["failure"] is None
    assert json.loads((project.directory() / "candidate_registry.json").read_text())["candidates"]
