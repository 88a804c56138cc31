from __future__ import annotations

import re
import signal
import sqlite3
from contextlib import closing

import pytest

from gepa_framework import GepaRun
from gepa_framework.errors import (
    ConfigError,
    InterruptedRunError,
    ReplayDivergenceError,
    RunFailedError,
    RunStateError,
    WorkspaceError,
)

FREE = "proposer_estimated_cost_usd = 0.0\nrollout_estimated_cost_usd = 0.0"


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def refused(run):
    assert not run.resumed
    with pytest.raises(RunStateError) as first:
        run.already_finished  # noqa: B018
    with pytest.raises(RunStateError) as second:
        run.execute()
    assert (second.value.message, second.value.hint) == (first.value.message, first.value.hint)
    return second.value


def test_a_finished_run_gives_its_result_again_and_touches_nothing(project, at):
    first = project.run().execute()
    before, asked, registry = contents(project.directory()), project.asked(), project.registry()
    again, listener = project.run(), at("never", 1, lambda: None)
    assert again.already_finished
    result = again.execute(listeners=[listener])
    assert result == first
    assert [event.type for event in listener.heard] == project.types()
    assert contents(project.directory()) == before
    assert project.asked() == asked
    assert project.registry() == registry


def test_a_run_that_is_not_there_yet_is_not_finished(project):
    assert not project.run().already_finished
    project.directory().mkdir(parents=True)
    assert not project.run().already_finished
    project.run().execute()
    assert not GepaRun.resume(project.directory()).already_finished


@pytest.mark.parametrize(
    "options",
    [
        {"container": "delay_seconds = 0.01"},
        {"cache": 'mode = "readwrite"\nbackend = "memory"'},
        {"gepa": "rollout_poll_interval_ms = 7"},
        {"more": "[gepa.pipeline.workers]\nrollout = 3"},
        {"more": '[[listeners]]\nuse = "jsonl"'},
        {"more": "[disk_budget]\nsoft_limit_gb = 1.5"},
    ],
)
def test_what_does_not_decide_a_run_may_differ(project, options):
    first = project.run().execute()
    assert project.run(**options).execute() == first


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gepa": "perfect_score = 2.0"}, r"r1\.toml:19:1: gepa\.perfect_score: .* has null here.* 2\.0$"),
        (
            {"gepa": f"max_cost_usd = 3.5\n{FREE}"},
            r"toml:19:1: gepa\.max_cost_usd: .* has 0\.0 here.* 3\.5$",
        ),
        ({"more": "[acceptance]\nmargin = 0.5"}, r"toml:21:1: acceptance\.margin: .* has 0\.0 here.* 0\.5$"),
        ({"more": '[policy]\nmodel = "m"'}, r"toml:21:1: policy\.model: .* has nothing here.* \"m\"$"),
        (
            {"more": '[[stoppers]]\nuse = "max_iterations"\niterations = 2'},
            r"toml:20:\d+: stoppers\.0: .* has nothing here",
        ),
    ],
)
def test_another_configuration_is_refused_with_its_first_difference(project, options, message):
    project.run().execute()
    before, asked = contents(project.directory()), project.asked()
    error = refused(project.run(**options))
    assert re.search(message, error.message), error.message
    assert error.hint == "choose another run.run_id"
    assert contents(project.directory()) == before
    assert project.asked() == asked


def test_the_seed_decides_and_an_override_is_named_as_the_place(project):
    project.run().execute()
    error = refused(GepaRun.from_toml(project.write(), sets=["run.seed=4"], environ={}))
    assert error.message == (
        f"--set run.seed: run.seed: the run in {project.directory()} has 3 here, and this configuration 4"
    )


def test_a_limit_that_is_higher_is_answered_with_the_command_that_raises_it(project):
    project.run().execute()
    error = refused(GepaRun.from_toml(project.write(), sets=["gepa.max_generations=9"], environ={}))
    assert f"gepa resume {project.directory()} --extend gepa.max_generations=9" in error.hint
    lower = refused(GepaRun.from_toml(project.write(), sets=["gepa.max_generations=5"], environ={}))
    assert "--extend" not in lower.hint


def test_an_extended_run_is_the_run_that_its_extension_makes_it(project):
    project.run().execute()
    extended = GepaRun.resume(project.directory(), extend=["gepa.max_generations=8"]).execute()
    error = refused(project.run())
    assert "has 8 here, and this configuration 6" in error.message
    assert "was extended by --extend gepa.max_generations=8" in error.hint
    again = GepaRun.from_toml(project.write(), sets=["gepa.max_generations=8"], environ={})
    assert again.execute() == extended


def test_an_unfinished_run_is_refused_with_the_command_that_resumes_it(project, at):
    listener = at("iteration.started", 2, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(InterruptedRunError):
        project.run().execute(listeners=[listener], handle_signals=True)
    before = contents(project.directory())
    error = refused(project.run())
    assert error.message == f"there is an unfinished run in {project.directory()}"
    assert f"gepa resume {project.directory()}" in error.hint
    assert "run.run_id" in error.hint
    assert contents(project.directory()) == before


def test_a_run_that_the_world_failed_is_unfinished(project):
    options = {"container": "failing_share = 1.0"}
    with pytest.raises(RunFailedError):
        project.run(**options).execute()
    assert "there is an unfinished run" in refused(project.run(**options)).message


def test_a_run_that_failed_for_good_says_why(project):
    options = {"more": '[candidate]\ntarget_modules = ["nobody"]'}
    with pytest.raises(ConfigError):
        project.run(**options).execute()
    error = refused(project.run(**options))
    assert "failed (gepa_config_error" in error.message
    assert "nobody" in error.message
    assert "mend that" in error.hint


def test_another_configuration_comes_before_everything_else(project):
    with pytest.raises(ConfigError):
        project.run(more='[candidate]\ntarget_modules = ["nobody"]').execute()
    assert "candidate.target_modules" in refused(project.run()).message


def test_feeds_without_their_journal_are_not_written_over(project):
    project.run().execute()
    for path in project.directory().glob("workspace.sqlite*"):
        path.unlink()
    before = contents(project.directory())
    with pytest.raises(WorkspaceError, match="holds the feeds of a run whose journal is gone"):
        project.run().execute()
    assert contents(project.directory()) == before


def test_a_damaged_record_is_not_given_as_a_result(project):
    project.run().execute()
    with closing(sqlite3.connect(project.directory() / "workspace.sqlite")) as database:
        database.execute(
            "UPDATE events SET body = replace(body, '1.0', '0.0') WHERE type = 'rollout.completed'"
        )
        database.commit()
    with pytest.raises((WorkspaceError, ReplayDivergenceError), match="is not what was written"):
        project.run().execute()
