from __future__ import annotations

import json
import signal
import sqlite3
from contextlib import closing

import pytest

from gepa_framework import GepaRun
from gepa_framework.app import check_workspace, workspace_status
from gepa_framework.errors import ExitCode, InterruptedRunError, InvariantError, WorkspaceError
from gepa_framework.workspace import WorkspaceLock

#: Runs of every sort; what is in a run is in tests/workspace/invariants.
SORTS = {
    "plain": {},
    "failing": {
        "container": "failing_share = 0.2",
        "gepa": "rollout_failure_rate_tolerance = 1.0\nmax_rollout_attempts = 2",
    },
    "zero": {
        "container": "failing_share = 0.2",
        "gepa": 'rollout_failure_rate_tolerance = 1.0\nfailed_rollout_policy = "score_zero"',
    },
    "slow": {"container": "delay_seconds = 0.01", "more": "[gepa.pipeline.workers]\nrollout = 4"},
    "pipelined": {
        "container": "delay_seconds = 0.004",
        "more": '[gepa.pipeline]\nmode = "async_pipelined"\n[gepa.pipeline.workers]\npropose = 2',
    },
    "sequential": {"more": '[acceptance]\nrule = "sequential"'},
    "cached": {"cache": 'mode = "readwrite"\nbackend = "memory"'},
    "pooled": {"more": "[gepa.seed_pools]\npareto_eval = [0, 1, 2, 3, 4]"},
}


@pytest.fixture
def finished(project):
    project.run().execute()
    return project.directory()


def change(run_dir, *statements):
    with closing(sqlite3.connect(run_dir / "workspace.sqlite")) as database:
        for statement in statements:
            assert database.execute(statement).rowcount > 0, statement
        database.commit()


def interrupt(project, at, **options):
    listener = at("iteration.started", 3, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(InterruptedRunError):
        project.run(**options).execute(listeners=[listener], handle_signals=True)


@pytest.mark.parametrize("sort", SORTS)
def test_a_run_that_was_left_alone_is_sound(project, sort):
    project.run(**SORTS[sort]).execute()
    found = check_workspace(project.directory())
    assert (found.ok, found.exit_code, found.error) == (True, ExitCode.OK, None)
    assert (found.violations, found.damage, found.stale) == ((), (), ())


def test_a_run_that_is_extended_stays_sound(project, finished):
    GepaRun.resume(finished, extend=["gepa.max_generations=9", "gepa.max_total_rollouts=400"]).execute()
    assert check_workspace(finished).ok


def test_an_interrupted_run_is_sound_and_so_is_what_becomes_of_it(project, at):
    interrupt(project, at)
    found = check_workspace(project.directory())
    assert (found.ok, found.state) == (True, "interrupted")
    GepaRun.resume(project.directory()).execute()
    assert check_workspace(project.directory()).ok


def test_a_run_that_goes_on_can_be_checked(project, at):
    seen = []
    listener = at("iteration.started", 3, lambda: seen.append(check_workspace(project.directory())))
    project.run().execute(listeners=[listener])
    assert (seen[0].ok, seen[0].state, seen[0].violations) == (True, "running", ())


def test_a_report_is_left_for_status_until_the_journal_goes_on(project, at):
    interrupt(project, at)
    check_workspace(project.directory())
    (run,) = workspace_status(project.directory())["runs"]
    report = run["invariant_report"]
    assert (report["status"], report["current"], report["violation_count"]) == ("passed", True, 0)
    assert report["invariants"] >= 30
    GepaRun.resume(project.directory()).execute()
    status = workspace_status(project.directory())
    assert status["runs"][0]["invariant_report"]["current"] is False
    assert status["invariant_status_counts"] == {"outdated": 1}


def test_a_violation_is_told_with_its_row_and_cure(project, finished):
    change(finished, "UPDATE checkpoints SET kind = 'interval'")
    found = check_workspace(finished)
    assert found.exit_code is InvariantError.exit_code
    (violation,) = found.violations
    assert violation.invariant_id == "checkpoints_say_where_a_run_ended"
    assert violation.subject_type == "checkpoint"
    assert "gepa workspace rebuild" in violation.hint
    assert isinstance(found.error, InvariantError)
    (run,) = workspace_status(finished)["runs"]
    assert run["invariant_report"]["violated"] == (violation.invariant_id,)
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_row_that_was_edited_breaks_the_chain(project, finished):
    change(
        finished,
        "UPDATE events SET body = json_set(body, '$.rationale', 'x') WHERE type = 'candidate.registered'",
    )
    found = check_workspace(finished)
    assert found.exit_code is WorkspaceError.exit_code
    assert "is not what was written" in found.damage[0]
    assert found.violations == ()


def test_a_body_that_is_no_json_is_told_and_not_stumbled_over(project, finished):
    change(finished, "UPDATE events SET body = '{' WHERE seq = 12", "DELETE FROM checkpoints")
    found = check_workspace(finished)
    assert found.exit_code is WorkspaceError.exit_code
    assert found.damage[0].endswith("event 12 is not what was written")
    assert "bodies_are_json" in {each.invariant_id for each in found.violations}


def test_a_checkpoint_that_is_no_json_is_told_and_not_stumbled_over(project, finished):
    change(finished, "UPDATE checkpoints SET tallies = '{'")
    found = check_workspace(finished)
    assert (found.state, found.damage) == ("finished", ())
    assert {each.invariant_id for each in found.violations} == {"checkpoints_count_what_is_on_record"}


def test_what_was_recorded_of_the_run_is_part_of_the_chain(project, finished):
    change(finished, "UPDATE meta SET value = 'another' WHERE key = 'run_id'")
    assert "recorded of the run when it began" in check_workspace(finished).damage[0]


def test_a_page_that_is_torn_is_told(project, finished):
    path = finished / "workspace.sqlite"
    whole = bytearray(path.read_bytes())
    whole[4096 * 3 : 4096 * 4] = b"\x5a" * 4096
    path.write_bytes(whole)
    try:
        found = check_workspace(finished)
    except WorkspaceError:
        return  # so damaged that it is no workspace any more
    assert found.exit_code is WorkspaceError.exit_code
    assert found.damage
    assert isinstance(found.error, WorkspaceError)


def test_a_feed_that_was_edited_is_stale(project, finished):
    path = finished / "events.jsonl"
    path.write_text(path.read_text().replace('"iteration":1', '"iteration":7', 1))
    found = check_workspace(finished)
    assert found.exit_code is ExitCode.FAILED
    (stale,) = found.stale
    assert (stale.projection_name, stale.lag_count) == ("events.jsonl", stale.source_count)
    assert "is not event" in stale.details
    assert f"gepa workspace rebuild {finished}" in found.error.hint


def test_an_export_that_was_edited_is_stale(project, finished):
    path = finished / "best_candidate.json"
    path.write_text(path.read_text().replace("0", "1"))
    found = check_workspace(finished)
    assert [each.projection_name for each in found.stale] == ["best_candidate.json"]


def test_feeds_that_know_more_than_the_journal_are_told(project, at):
    interrupt(project, at)
    path = project.directory() / "events.normalized.jsonl"
    path.write_text(path.read_text() + '{"seq":99999,"type":"x"}\n')
    found = check_workspace(project.directory())
    assert [(each.projection_name, each.status.value) for each in found.stale] == [(path.name, "ahead")]
    assert "goes on after event" in found.stale[0].details
    assert found.exit_code is ExitCode.FAILED


def test_a_schema_of_before_is_refused_with_the_cure(project, finished):
    change(finished, "UPDATE alembic_version SET version_num = '0002'")
    with pytest.raises(WorkspaceError, match="has schema 0002") as caught:
        check_workspace(finished)
    assert "gepa workspace rebuild" in caught.value.hint


def test_a_directory_of_runs_is_no_run(project, finished):
    with pytest.raises(WorkspaceError, match="is no run"):
        check_workspace(project.path / "runs")


def test_a_report_that_cannot_be_left_is_said(project, finished, monkeypatch):
    (finished / "workspace_check.json").mkdir()
    found = check_workspace(finished)
    assert found.ok
    assert "workspace_check.json" in found.unkept


def test_a_check_needs_no_lock(project, finished):
    lock = WorkspaceLock(finished)
    try:
        assert check_workspace(finished).ok
    finally:
        lock.release()
