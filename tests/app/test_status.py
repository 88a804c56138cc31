from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
from contextlib import closing

import pytest

import gepa_framework
from gepa_framework.app import check_workspace, workspace_status
from gepa_framework.app.status.freshness import projections
from gepa_framework.app.status.source import Source, read_source
from gepa_framework.errors import InterruptedRunError, RunFailedError, WorkspaceError
from gepa_framework.workspace import Standing, WorkspaceLock

#: What the README of the interface reads of a run.
READ = (
    "rollout_job_status_counts",
    "rollout_event_type_counts",
    "score_objective_counts",
    "evidence_frame_kind_counts",
    "verifier_job_status_counts",
    "cache_access_action_counts",
    "cache_access_boundary_counts",
    "event_stream_event_type_counts",
    "usage_ledger_boundary_counts",
    "projection_freshness",
    "invariant_report",
)
SERVICE = (
    "run_request_status_counts",
    "operation_status_counts",
    "resource_lease_status_counts",
    "projection_status_counts",
    "invariant_status_counts",
)


def of(project, run_id="r1"):
    (run,) = workspace_status(project.directory(run_id))["runs"]
    return run


def freshness(run):
    return {each["projection_name"]: each["status"] for each in run["projection_freshness"]}


def stopped(project, at, **options):
    """Interrupt a run in its third iteration."""
    import signal

    listener = at("iteration.started", 3, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(InterruptedRunError):
        project.run(**options).execute(listeners=[listener], handle_signals=True)


def test_it_is_public():
    assert gepa_framework.workspace_status is workspace_status
    assert "workspace_status" in gepa_framework.__all__


def test_a_finished_run_is_told_with_everything_that_was_promised(project):
    result = project.run().execute()
    status = workspace_status(project.directory() / "workspace.sqlite")
    (run,) = status["runs"]
    json.dumps(status, allow_nan=False)
    assert not [name for name in READ if name not in run]
    assert not [name for name in SERVICE if name not in status]
    assert (run["run_id"], run["state"], run["holder"]) == ("r1", "finished", "")
    assert run["best_candidate_id"] == result.best_candidate_id
    assert run["best_score"] == result.best_score
    assert (run["cost_usd"], run["usage"]["total_tokens"]) == (result.cost_usd, result.usage.total_tokens)
    assert run["counts"]["rollouts"] == result.rollouts
    assert run["counts"]["events"] == result.events
    assert sum(run["rollout_status_counts"].values()) == result.rollouts
    assert run["usage_ledger_boundary_counts"]["proposer.fake"] == run["usage"]["proposer_calls"]
    assert (run["cache_mode"], run["cache_namespace"]) == ("off", "gepa:r1")
    # The record is closed before the files are written that tell of the end.
    assert run["started_at"] <= run["updated_at"] <= run["completed_at"]
    assert run["latest_transition"] == {
        "seq": result.events,
        "before": "heldout",
        "after": "finished",
        "trigger": "gepa.run.finished",
    }
    assert set(freshness(run).values()) == {"fresh"}
    assert status["projection_status_counts"] == {"fresh": len(run["projection_freshness"])}
    assert status["invariant_status_counts"] == {"unchecked": 1}


#: Which column of which view each map counts.
COUNTED = {
    "acceptance_decision": ("acceptance_decisions", "decision"),
    "cache_access_action": ("cache_accesses", "action"),
    "cache_access_boundary": ("cache_accesses", "boundary"),
    "candidate_status": ("candidates", "status"),
    "candidate_source": ("candidates", "source"),
    "checkpoint_kind": ("checkpoints", "kind"),
    "event_stream_event_type": ("event_stream_events", "type"),
    "evidence_frame_kind": ("evidence_frames", "kind"),
    "frontier_cell_status": ("frontier_cells", "taken"),
    "plan_link_relation": ("plan_links", "relation"),
    "rollout_event_type": ("rollout_events", "event"),
    "rollout_job_status": ("rollout_jobs", "status"),
    "rollout_stage": ("rollouts", "stage"),
    "rollout_status": ("rollouts", "status"),
    "score_objective": ("scores", "objective"),
    "score_stage": ("scores WHERE objective = 'reward'", "stage"),
    "subagent_status": ("subagent_invocations", "status"),
    "trace_annotation_status": ("trace_annotations", "status"),
    "stopper_state_status": ("stopper_states WHERE kind IN ('now', 'end')", "status"),
    "usage_ledger_boundary": ("usage_ledger", "boundary"),
    "verifier_job_status": ("verifier_jobs", "status"),
}
LEGS = {
    "plain": {},
    "failing": {"container": "failing_share = 0.1", "gepa": "rollout_failure_rate_tolerance = 1.0"},
    "cached": {"cache": 'mode = "readwrite"\nbackend = "memory"'},
}


@pytest.mark.parametrize("leg", LEGS)
def test_counts_are_those_of_the_rows(project, leg):
    project.run(**LEGS[leg]).execute()
    run = of(project)
    with closing(sqlite3.connect(project.directory() / "workspace.sqlite")) as database:
        for table, count in run["counts"].items():
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (count,), table
        for name, (table, column) in COUNTED.items():
            query = f"SELECT {column}, count(*) FROM {table} GROUP BY 1"
            assert run[f"{name}_counts"] == dict(database.execute(query).fetchall()), name
        change = database.execute(
            "SELECT seq, from_state, to_state, trigger FROM state_transitions WHERE entity_type = 'run' "
            "ORDER BY seq DESC LIMIT 1"
        ).fetchone()
    assert tuple(run["latest_transition"].values()) == change


def test_the_budget_tells_what_is_left(project):
    project.run().execute()
    budget = of(project)["budget_status"]
    assert budget["spent"]["iterations"] == 6
    assert budget["remaining"]["iterations"] == 0
    for name, limit in budget["limits"].items():
        assert budget["remaining"][name] == limit - budget["spent"][name]


def test_accesses_of_the_cache_are_those_of_its_profile(project):
    options = {"cache": 'mode = "readwrite"\nbackend = "sqlite"\nnamespace = "shared"'}
    project.run("r1", **options).execute()
    project.run("r2", **options).execute()
    for run_id in ("r1", "r2"):
        run, profile = of(project, run_id), project.read("cache_profile.json", run_id)
        told = {name: count for name, count in profile["totals"].items() if count}
        assert run["cache_access_action_counts"] == told
        assert run["cache_access_boundary_counts"] == {
            name: sum(actions.values()) for name, actions in profile["boundaries"].items()
        }
        assert (run["cache_mode"], run["cache_namespace"]) == ("readwrite", "shared")


def test_an_interrupted_run_can_be_told_from_one_that_goes_on(project, at):
    stopped(project, at)
    run = of(project)
    assert (run["state"], run["holder"]) == ("interrupted", "")
    assert run["completed_at"] >= run["started_at"]
    lock = WorkspaceLock(project.directory())
    try:
        run = of(project)
    finally:
        lock.release()
    assert run["state"] == "running"
    assert run["holder"].startswith(f"process {os.getpid()} on ")
    assert run["completed_at"] is None
    assert run["latest_transition"]["after"] == "searching"
    assert run["latest_transition"]["before"] == "seed_full_train"


def test_a_run_is_told_of_while_it_writes(project, at):
    seen = []
    listener = at("iteration.started", 2, lambda: seen.append(of(project)))
    result = project.run().execute(listeners=[listener])
    (run,) = seen
    assert run["state"] == "running"
    assert 0 < run["counts"]["events"] < result.events
    assert run["best_candidate_id"]
    assert freshness(run)["result_manifest.json"] == "missing"
    assert freshness(run)["checkpoints"] == "fresh"


def test_what_broke_a_leg_is_told(project):
    with pytest.raises(RunFailedError):
        project.run(container="failing_share = 1.0").execute()
    run = of(project)
    assert run["state"] == "failed"
    assert run["failure"]["error_code"] == "gepa_run_failed"


def test_an_extended_run_is_told_by_the_limits_that_hold(project, at):
    project.run().execute()
    seen = []
    begun = project.types().count("iteration.started")
    # What is on record is told of again before the run goes on.
    listener = at("iteration.started", begun + 2, lambda: seen.append(of(project)))
    more = gepa_framework.GepaRun.resume(project.directory(), extend=["gepa.max_generations=9"])
    more.execute(listeners=[listener])
    during, after = seen[0], of(project)
    assert during["state"] == "running"
    assert (during["latest_transition"]["before"], during["latest_transition"]["after"]) == (
        "extended",
        "searching",
    )
    assert after["budget_status"]["limits"]["iterations"] == 9
    assert after["latest_transition"]["after"] == "finished"


def test_one_bad_run_does_not_hide_the_others(project):
    for run_id in ("r1", "r2", "r3"):
        project.run(run_id).execute()
    (project.directory("r2") / "workspace.sqlite").write_bytes(b"no database at all")
    (project.directory("r3") / "workspace.sqlite").unlink()
    status = workspace_status(project.path / "runs")
    assert [run["state"] for run in status["runs"]] == ["finished", "unreadable", "unreadable"]
    bad = status["runs"][1]
    assert (bad["run_id"], bad["run_dir"]) == ("r2", str(project.directory("r2")))
    assert bad["error"]["error_code"] == "gepa_workspace_error"
    assert "workspace.sqlite" in bad["error"]["message"]
    assert status["run_state_counts"] == {"finished": 1, "unreadable": 2}
    with pytest.raises(WorkspaceError, match="not a workspace"):
        workspace_status(project.directory("r2"))


def test_a_checkpoint_that_is_damaged_is_named(project):
    project.run().execute()
    with closing(sqlite3.connect(project.directory() / "workspace.sqlite")) as database:
        database.execute("UPDATE checkpoints SET tallies = '{'")
        database.commit()
    with pytest.raises(WorkspaceError, match="is not what was written") as caught:
        of(project)
    assert "gepa workspace check" in caught.value.hint


def test_a_directory_without_runs_has_none(tmp_path):
    assert workspace_status(tmp_path)["runs"] == []
    with pytest.raises(WorkspaceError, match="does not exist"):
        workspace_status(tmp_path / "nowhere")


def test_another_store_is_told_of_as_well(project):
    project.run("r1").execute()
    project.run("r2", more='[store]\nuse = "lines"').execute()
    one, other = of(project, "r1"), of(project, "r2")
    same = [name for name in one if name.endswith("_counts")]
    same = [name for name in same if name not in ("checkpoint_kind_counts", "projection_status_counts")]
    assert [other[name] for name in same] == [one[name] for name in same]
    assert other["workspace_db_path"] is None
    assert other["counts"] == {**one["counts"], "checkpoints": 0}
    assert set(freshness(other).values()) == {"fresh"}
    assert check_workspace(project.directory("r2")).ok


def test_an_older_schema_is_told_of_without_being_changed(project):
    project.run().execute()
    path = project.directory() / "workspace.sqlite"
    with closing(sqlite3.connect(path)) as database:
        views = database.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall()
        for (name,) in views:
            database.execute(f"DROP VIEW {name}")
        database.execute("DROP TABLE checkpoints")
        database.execute("DROP TABLE artifact_refs")
        database.execute("ALTER TABLE inputs DROP COLUMN access")
        database.execute("UPDATE alembic_version SET version_num = '0002'")
        database.commit()
    before = path.read_bytes()
    run = of(project)
    assert run["state"] == "finished"
    assert freshness(run)["heldout_verdicts"] == "missing"
    assert path.read_bytes() == before


def test_nothing_is_written(project):
    project.run().execute()
    before = {path.name: path.stat().st_mtime_ns for path in project.directory().iterdir()}
    of(project)
    assert {path.name: path.stat().st_mtime_ns for path in project.directory().iterdir()} == before


@pytest.mark.parametrize(
    ("name", "change", "status"),
    [
        ("events.jsonl", lambda text: text[: len(text) // 2], "stale"),
        ("events.normalized.jsonl", lambda text: text + '{"seq":99999}\n', "ahead"),
        ("frontier.json", lambda text: text + " ", "stale"),
        ("result_manifest.json", lambda _: "{}", "stale"),
    ],
)
def test_a_file_that_is_not_as_far_as_the_journal_is_told(project, name, change, status):
    project.run().execute()
    path = project.directory() / name
    path.write_text(change(path.read_text()))
    assert freshness(of(project))[name] == status


def test_only_a_thorough_look_sees_a_change_of_the_same_size(project):
    project.run().execute()
    path = project.directory() / "best_candidate.json"
    path.write_text(path.read_text().replace("0", "1"))
    source = Source.of(project.directory())
    standing = read_source(source)
    for thorough, status in ((False, "fresh"), (True, "stale")):
        found = projections(source, standing, "finished", thorough=thorough)
        assert {each.projection_name: each.status.value for each in found}[path.name] == status


def test_a_directory_that_cannot_be_written_is_no_trouble(project):
    project.run().execute()
    directory = project.directory()
    mode = stat.S_IMODE(directory.stat().st_mode)
    directory.chmod(0o555)
    try:
        assert of(project)["state"] == "finished"
    finally:
        directory.chmod(mode)


def test_a_copy_of_a_run_is_a_run(project, tmp_path):
    project.run().execute()
    shutil.copytree(project.directory(), tmp_path / "copies" / "r1")
    (run,) = workspace_status(tmp_path / "copies")["runs"]
    assert run["state"] == "finished"
    assert freshness(run)["run_registry.jsonl"] == "missing"


def test_the_standing_of_a_run_does_not_go_through_it(project):
    project.run().execute()
    path = project.directory() / "workspace.sqlite"
    with closing(sqlite3.connect(path)) as database:
        # Told apart from what the rows say, so that it shows whether they were gone through.
        database.execute(
            "UPDATE checkpoints SET tallies = json_set(tallies, '$.stages.\"heldout.completed\"', 777)"
        )
        database.commit()
    standing = read_source(Source.of(project.directory()))
    assert isinstance(standing, Standing)
    assert of(project)["rollout_stage_counts"]["heldout"] == 777
