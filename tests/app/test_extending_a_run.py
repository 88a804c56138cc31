from __future__ import annotations

import json
import signal
import sqlite3
from contextlib import closing

import pytest

from gepa_framework import GepaRun
from gepa_framework.errors import (
    BudgetExceededError,
    ConfigError,
    InterruptedRunError,
    PluginLockError,
    ReplayDivergenceError,
    RunFailedError,
    RunStateError,
    WorkspaceError,
)

ESTIMATES = "proposer_estimated_cost_usd = 0.0\nrollout_estimated_cost_usd = 0.0\n"


def extend(project, *arguments, run_id="r1"):
    return GepaRun.resume(project.directory(run_id), extend=arguments)


def interrupted(run, at, name="iteration.started", count=2):
    listener = at(name, count, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(InterruptedRunError):
        run.execute(listeners=[listener], handle_signals=True)


def rollouts_of(project, stage):
    lines = [json.loads(line) for line in project.normalised().splitlines()]
    return [(line["candidate_id"], line["row_id"]) for line in lines if line.get("stage") == stage]


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_a_finished_run_goes_on_where_a_limit_ended_it(project):
    first = project.run().execute()
    assert first.stopped_by.kind == "max_generations"
    run = extend(project, "gepa.max_generations=9")
    assert run.resumed
    assert run.plan.limits.iterations == 9
    second = run.execute()
    assert (second.status, second.iterations, second.stopped_by.limit) == ("finished", 9, 9)
    assert project.types().count("gepa.run.finished") == 2
    assert len({line.split()[0] for line in project.asked()}) == len(project.asked()) == second.rollouts
    assert second.rollouts > first.rollouts
    assert second.heldout["seed"] == first.heldout["seed"]


def test_heldout_rows_are_never_rolled_out_twice_for_a_candidate(project):
    project.run().execute()
    for limit in (9, 12, 15):
        extend(project, f"gepa.max_generations={limit}").execute()
    asked = rollouts_of(project, "heldout")
    assert len(asked) == len(set(asked))
    manifest = project.read("result_manifest.json")
    assert manifest["heldout"]["best"]["coverage"] == 4
    measured = {candidate for candidate, _ in asked}
    assert manifest["best_candidate_id"] in measured


def test_the_search_of_an_extended_run_is_that_of_a_run_with_the_higher_limit(project):
    project.run().execute()
    extend(project, "gepa.max_generations=9").execute()
    GepaRun.from_toml(project.write("whole"), sets=["gepa.max_generations=9"], environ={}).execute()
    best = [project.read("best_candidate.json", run_id) for run_id in ("r1", "whole")]
    assert best[0] == best[1]
    assert project.read("frontier.json") == project.read("frontier.json", "whole")


def test_higher_limits_hold_in_every_later_resumption(project, at):
    project.run().execute()
    interrupted(extend(project, "gepa.max_generations=12"), at, count=8)
    again = GepaRun.resume(project.directory())
    assert again.plan.limits.iterations == 12
    assert again.extensions == ("gepa.max_generations=12",)
    result = again.execute()
    assert result.iterations == 12
    assert GepaRun.resume(project.directory()).execute().to_dict() == result.to_dict()


def test_the_record_shows_what_was_raised(project):
    project.run().execute()
    extend(project, "gepa.max_generations = 9", "gepa.max_total_rollouts=300").execute()
    manifest = project.read("result_manifest.json")
    assert manifest["extensions"] == ["gepa.max_generations=9", "gepa.max_total_rollouts=300"]
    assert manifest["limits"] == {
        "train_rollouts": 288,
        "heldout_rollouts": 300,
        "total_rollouts": 300,
        "iterations": 9,
    }
    (event,) = [json.loads(line) for line in project.normalised().splitlines() if "run.extended" in line]
    assert event["limits"] == manifest["limits"]
    assert event["sets"] == manifest["extensions"]
    states = [entry["to"] for entry in manifest["state_history"]]
    assert states[-4:] == ["extended", "searching", "heldout", "finished"]


def test_a_run_that_was_interrupted_goes_on_with_higher_limits(project, at):
    interrupted(project.run(), at)
    result = extend(project, "gepa.max_generations=8").execute()
    assert result.iterations == 8
    assert project.types().count("gepa.run.finished") == project.types().count("gepa.stop") == 1


def test_a_run_that_was_interrupted_among_heldout_rows_searches_on_after_them(project, at):
    interrupted(project.run(), at, "heldout.started", 1)
    result = extend(project, "gepa.max_generations=8").execute()
    assert result.iterations == 8
    asked = rollouts_of(project, "heldout")
    assert len(asked) == len(set(asked))
    assert project.types().count("gepa.run.finished") == 1


def test_a_run_that_the_world_failed_goes_on_with_higher_limits(project):
    config = project.write(container='log = "asked.log"\nfailing_share = 0.9')
    with pytest.raises(RunFailedError):
        GepaRun.from_toml(config, environ={}).execute()
    with pytest.raises(RunFailedError):
        extend(project, "gepa.max_generations=8").execute()
    assert project.read("result_manifest.json")["extensions"] == ["gepa.max_generations=8"]
    assert GepaRun.resume(project.directory()).plan.limits.iterations == 8


def test_a_run_that_failed_for_good_cannot_be_extended(project):
    with pytest.raises(ConfigError):
        project.run(more='[candidate]\ntarget_modules = ["nobody"]').execute()
    with pytest.raises(RunStateError, match=r"ended for good, and by no limit \(gepa.run.failed: .*nobody"):
        extend(project, "gepa.max_generations=8")


def test_a_stopper_may_be_raised(project):
    more = '[[stoppers]]\nuse = "max_iterations"\niterations = 2'
    assert project.run(more=more).execute().stopped_by.kind == "max_iterations"
    result = extend(project, "stoppers.0.iterations=4").execute()
    assert (result.stopped_by.kind, result.stopped_by.value) == ("max_iterations", 4)
    again = extend(project, "stoppers.0.iterations=5").execute()
    assert again.iterations == 5
    assert GepaRun.verify(project.directory()).status == "finished"
    GepaRun.resume(project.directory()).execute()


def test_an_older_key_for_a_stopper_may_be_raised(project):
    result = project.run(gepa="no_improvement_generations = 1").execute()
    assert result.stopped_by.kind == "no_improvement"
    more = extend(project, "gepa.no_improvement_generations=3").execute()
    assert more.iterations > result.iterations
    assert GepaRun.verify(project.directory()).status == "finished"


def test_limits_of_one_sort_of_rollouts_are_raised_by_themselves(project):
    gepa = "max_train_rollouts = 40\nmax_heldout_rollouts = 8"
    assert project.run(gepa=gepa).execute().stopped_by.kind == "max_train_rollouts"
    before = contents(project.directory())
    with pytest.raises(BudgetExceededError, match=r"the heldout rows need 12 rollouts.* the limit is 8"):
        extend(project, "gepa.max_train_rollouts=80").execute()
    assert contents(project.directory()) == before
    result = extend(project, "gepa.max_train_rollouts=80", "gepa.max_heldout_rollouts=12").execute()
    assert result.rollouts > 48
    assert result.limits["train_rollouts"] == 80


def test_room_for_one_more_candidate_is_taken_from_all_rollouts(project):
    project.run().execute()
    run = extend(project, "gepa.max_generations=7")
    assert (run.plan.limits.train_rollouts, run.plan.limits.total_rollouts) == (188, 200)
    assert run.execute().limits["train_rollouts"] == 188


def test_a_limit_on_all_rollouts_raises_what_follows_from_it(project):
    sets = ["gepa.max_total_rollouts=60", "gepa.max_generations=40"]
    first = GepaRun.from_toml(project.write(), sets=sets, environ={}).execute()
    assert first.stopped_by.kind == "max_total_rollouts"
    run = extend(project, "gepa.max_total_rollouts=90")
    limits = run.plan.limits
    assert (limits.train_rollouts, limits.heldout_rollouts, limits.total_rollouts) == (78, 90, 90)
    assert first.rollouts < run.execute().rollouts <= 90


def test_proposals_may_be_raised(project):
    first = project.run(gepa="max_proposals = 3").execute()
    assert first.stopped_by.kind == "max_proposals"
    result = extend(project, "gepa.max_proposals=5").execute()
    assert (result.stopped_by.kind, result.stopped_by.limit) == ("max_proposals", 5)
    assert first.iterations < result.iterations <= 5


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("gepa.minibatch_size=9", "gepa.minibatch_size: is no limit that can be raised"),
        ("gepa.max_generation=9", "did you mean 'gepa.max_generations'"),
        ("run.seed=9", "run.seed: is no limit"),
        ("container.log=other", "container.log: is no limit"),
        ("stoppers.0=1", "stoppers.0: is no limit"),
        ("stoppers.0.iterations=9", "names no stopper of the run, which has 0"),
        ("gepa.max_generations=6", "gepa.max_generations: is 6 now and can only be raised"),
        ("gepa.max_generations=5", "is 6 now and can only be raised"),
        (
            "gepa.max_generations=7.5",
            "--extend gepa.max_generations: gepa.max_generations: expected an integer",
        ),
        ("gepa.max_generations=-1", "--extend gepa.max_generations: gepa.max_generations: must be"),
        ('gepa.max_generations="9"', "must be a number"),
        ("gepa.max_generations=true", "must be a number"),
        ("gepa.max_cost_usd=inf", "must be a number"),
        ("gepa.max_generations", "is not an assignment"),
        ("gepa.max_generations=[", "is not a TOML value"),
        ("gepa.max_cost_usd=5.0", "is not limited by a number so far, and can only be raised"),
        ("gepa.max_proposals=5", "is not limited by a number so far"),
        ("gepa.max_time_seconds=5.0", "is not limited by a number so far"),
        ("gepa.max_train_rollouts=100", "is 192 now and can only be raised"),
        ("gepa.max_heldout_rollouts=4", "is 200 now and can only be raised"),
    ],
)
def test_what_is_no_higher_limit_is_refused_by_name(project, argument, message):
    project.run().execute()
    before = contents(project.directory())
    with pytest.raises(ConfigError) as caught:
        extend(project, argument)
    assert message in str(caught.value)
    assert "--set" not in str(caught.value)
    assert contents(project.directory()) == before


def test_a_key_that_the_stopper_does_not_have_is_refused(project):
    project.run(more='[[stoppers]]\nuse = "max_iterations"\niterations = 2').execute()
    with pytest.raises(ConfigError, match="names nothing that the stopper has: use, iterations"):
        extend(project, "stoppers.0.seconds=9")
    with pytest.raises(ConfigError, match="expected a string, got the integer 9"):
        extend(project, "stoppers.0.use=9")


def test_a_limit_on_all_rollouts_without_effect_is_refused(project):
    project.run(gepa="max_train_rollouts = 40\nmax_heldout_rollouts = 8").execute()
    with pytest.raises(ConfigError, match=r"has no effect; raise gepa.max_train_rollouts and"):
        extend(project, "gepa.max_total_rollouts=900")


def test_an_extension_that_changes_nothing_is_refused_before_anything_is_written(project):
    project.run().execute()
    before, registry = contents(project.directory()), project.registry()
    with pytest.raises(BudgetExceededError, match="would end again at once: max_generations of 6"):
        extend(project, "gepa.max_total_rollouts=900").execute()
    assert contents(project.directory()) == before
    assert project.registry() == registry


def test_money_without_a_limit_is_more_than_any_limit(project):
    project.run(gepa=f"{ESTIMATES}max_cost_usd = 5.0").execute()
    result = extend(project, "gepa.max_cost_usd=0", "gepa.max_generations=7").execute()
    assert "cost_usd" not in result.limits


def test_the_plugins_of_an_extended_run_are_compared_as_they_were_at_its_start(project):
    project.run(more='[[stoppers]]\nuse = "max_iterations"\niterations = 2').execute()
    extend(project, "stoppers.0.iterations=3").execute()
    lock = project.read("plugins.lock.json")
    GepaRun.resume(project.directory()).execute()
    assert project.read("plugins.lock.json") == lock
    listener = "class Quiet:\n    def on_event(self, event): ...\n    def close(self): ...\n"
    project.offer("listener", "quiet", f"{listener}def make(context):\n    return Quiet()")
    project.run("other", more='[[listeners]]\nuse = "quiet"').execute()
    metadata = project.site / "gf_app_quiet-1.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("1.0\n", "2.0\n"))
    with pytest.raises(PluginLockError, match="quiet"):
        extend(project, "gepa.max_generations=7", run_id="other")


def edit(project, statement):
    with closing(sqlite3.connect(project.directory() / "workspace.sqlite")) as database:
        assert database.execute(statement).rowcount > 0
        database.commit()


def test_an_extension_that_was_edited_is_found(project):
    project.run().execute()
    extend(project, "gepa.max_generations=9").execute()
    edit(project, "UPDATE inputs SET payload = replace(payload, '9', '7') WHERE kind = 'extend'")
    with pytest.raises((WorkspaceError, ReplayDivergenceError), match="is not what was written"):
        GepaRun.resume(project.directory()).execute()
    edit(project, "UPDATE inputs SET payload = '[]' WHERE kind = 'extend'")
    with pytest.raises(WorkspaceError, match=r"input \d+ is not what was written"):
        GepaRun.resume(project.directory())


def test_two_extensions_at_one_moment_are_told_apart(project):
    project.run().execute()
    one, other = (extend(project, f"gepa.max_generations={limit}") for limit in (8, 9))
    one.execute()
    with pytest.raises(RunStateError, match="was extended in this very moment"):
        other.execute()
    assert GepaRun.resume(project.directory()).execute().iterations == 8


def test_events_on_record_are_told_before_a_run_goes_on(project):
    assert project.run().events_on_record == 0
    result = project.run().execute()
    assert result.events == GepaRun.resume(project.directory()).events_on_record == len(project.types())


def test_listeners_hear_of_the_whole_run_and_of_its_extension_once(project, at):
    project.run().execute()
    listener = at("never", 1, lambda: None)
    extend(project, "gepa.max_generations=7").execute(listeners=[listener])
    assert [event.type for event in listener.heard] == project.types()
    assert [event.seq for event in listener.heard] == list(range(1, len(project.types()) + 1))
