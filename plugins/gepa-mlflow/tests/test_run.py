from __future__ import annotations

import json
import logging
import threading
import time

import pytest

from gepa_framework.errors import GepaError, InterruptedRunError
from gepa_framework.types import BuildContext, Event
from gepa_framework.types.events import RunStarted
from gepa_mlflow.config import MlflowConfig
from gepa_mlflow.plugin import gepa_make_listener
from gepa_mlflow.record import Record
from gepa_mlflow.totals import Totals


def warnings_of(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def last_step(project):
    return len(project.of("rollout.completed")) + len(project.of("rollout.failed"))


def test_a_run_is_in_mlflow_as_its_own_result_has_it(project, store, caplog):
    project.script("fail 5")
    result = project.run('run_name = "first"\ntags = { team = "a" }')
    run, events = store.run, project.events()
    finished = events[-1]
    assert (run.info.status, run.info.run_name) == ("FINISHED", "first")
    assert run.data.tags["gepa.run_id"] == "r1"
    assert run.data.tags["gepa.last_event"] == str(finished["seq"])
    assert run.data.tags["gepa.status"] == "finished"
    assert run.data.tags["team"] == "a"
    assert run.data.tags["gepa.best_candidate_id"] == result.best_candidate_id
    started = events[0]
    expected = {
        "seed": "3",
        "limits.total_rollouts": "200",
        "gepa.minibatch_size": "3",
        "rows.train": "8",
    }
    assert expected.items() <= run.data.params.items()
    assert run.data.params["config_digest"] == started["config_digest"]
    assert run.data.params["selection_rule"] == project.of("iteration.started")[0]["rule"]
    metrics = run.data.metrics
    assert metrics["best_score"] == finished["best_score"] == result.best_score
    for name in ("iterations", "candidates", "rollouts", "failed_rollouts"):
        assert metrics[name] == finished[name], name
    assert metrics["failed_rollouts"] == 1
    assert finished["cost_usd"] is None  # what the failed one took, nobody knows
    priced = [event for event in events if event.get("cost_usd") and event is not finished]
    assert metrics["known_cost_usd"] == pytest.approx(sum(event["cost_usd"] for event in priced))
    assert metrics["known_tokens"] == sum(event["total_tokens"] for event in priced)
    for told in project.of("heldout.completed"):
        assert metrics[f"heldout_score_{told['role']}"] == told["score"]
    updates = project.of("frontier.updated")
    assert metrics["frontier_size"] == len(updates[-1]["survivors"])
    assert [value for _, value in store.history("best_score")][:-1] == [u["best_score"] for u in updates]
    assert store.history("best_score")[-1][0] == last_step(project)
    assert metrics["acceptance_rate"] == len(project.of("candidate.accepted")) / (
        len(project.of("candidate.accepted")) + len(project.of("candidate.rejected"))
    )
    components = json.loads((project.directory / "best_candidate.json").read_text())
    assert json.loads(store.text("best_candidate.json"))["candidate_id"] == result.best_candidate_id
    assert store.text("best_candidate/skills.txt") in json.dumps(components)
    told = json.loads(store.text("result.json"))
    assert told["best_score"] == result.best_score
    assert told["stop"]["kind"] == project.of("gepa.stop")[0]["kind"]
    assert len(told["candidates"]) == len(project.of("candidate.registered"))
    assert (project.path / "mlruns").is_dir()
    assert warnings_of(caplog) == []


def test_the_counts_are_those_of_the_framework_before_it_tells_them(project, store):
    project.run()
    *events, finished = project.events()
    totals = Totals()
    for event in events:
        totals.count(event)
    before = totals.metrics()
    for name in ("iterations", "candidates", "rollouts", "total_tokens", "cost_usd"):
        assert before[name] == finished[name], name
    assert (before["known_tokens"], before["known_cost_usd"]) == (before["total_tokens"], before["cost_usd"])


@pytest.mark.timeout(150)
def test_a_run_that_is_killed_goes_on_in_the_same_mlflow_run_with_nothing_doubled_or_missing(project, store):
    project.write("flush_seconds = 0.01")
    project.script("kill 40")
    killed = project.gepa("run", "--config", "gepa.toml")
    assert killed.returncode == -9, killed.stderr
    half = store.run
    assert half.info.status == "RUNNING"
    # How far MLflow had got by then is a matter of chance: a busy machine lets it keep up.
    assert 0 < int(half.data.tags["gepa.last_event"]) <= len(project.events())
    resumed = project.gepa("resume", "runs/r1")
    assert resumed.returncode == 0, resumed.stderr
    assert (store.run.info.run_id, store.run.info.status) == (half.info.run_id, "FINISHED")
    assert store.run.data.params.items() >= half.data.params.items()
    assert store.histories() == told_at_once(project, store)


def told_at_once(project, store):
    """Give the histories of the same run where MLflow is told all of it by one process."""
    (project.directory / "listener.mlflow.id").unlink()
    context = BuildContext("r1", project.directory, project.path)
    gepa_make_listener(
        MlflowConfig(tracking_uri=store.uri, experiment="again", close_seconds=50.0), context
    ).close()
    (run,) = store.runs("again")
    return {
        key: [(point.step, point.value) for point in store.client.get_metric_history(run.info.run_id, key)]
        for key in sorted(run.data.metrics)
    }


def test_a_run_that_fails_is_failed_in_mlflow_with_its_error(project, store):
    with pytest.raises(GepaError):
        project.run(sets=('candidate.target_modules=["nobody"]',))
    run, failed = store.run, project.of("gepa.run.failed")[0]
    assert run.info.status == "FAILED"
    assert run.data.tags["gepa.error_code"] == failed["error_code"]
    assert json.loads(store.text("result.json"))["error"]["message"] == failed["message"]


@pytest.mark.parametrize(("word", "error"), [("interrupt", InterruptedRunError), ("gone", GepaError)])
def test_a_run_that_is_stopped_is_killed_in_mlflow_until_it_goes_on(project, store, word, error):
    project.script(f"{word} 20")
    with pytest.raises(error):
        project.run(handle_signals=True)
    stopped = store.run
    assert (stopped.info.status, stopped.data.tags["gepa.status"]) == ("KILLED", "stopped")
    result = project.resume()
    run = store.run
    assert run.info.run_id == stopped.info.run_id
    assert (run.info.status, run.data.tags["gepa.status"]) == ("FINISHED", "finished")
    assert run.data.metrics["rollouts"] == result_rollouts(project)
    assert run.data.metrics["best_score"] == result.best_score


def result_rollouts(project):
    return project.events()[-1]["rollouts"]


def test_a_run_of_the_same_name_in_a_new_directory_is_another_one(project, store):
    project.run()
    project.directory.rename(project.path / "earlier")
    project.run()
    assert [run.info.status for run in store.runs()] == ["FINISHED", "FINISHED"]


def test_resuming_a_finished_run_records_nothing_twice(project, store):
    project.run()
    before = store.histories()
    project.resume()
    assert store.histories() == before


def test_a_server_that_is_down_costs_the_run_a_warning_and_what_it_missed_is_recorded_later(
    project, store, nowhere, caplog, monkeypatch
):
    began = time.monotonic()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", nowhere)
    result = project.run("flush_seconds = 0.01")
    assert time.monotonic() - began < 8
    assert result.status == "finished"
    told = warnings_of(caplog)
    assert told
    assert len(told) <= 2
    assert "has not recorded all of the run: it cannot be reached:" in told[-1]
    assert f"`gepa resume {project.directory}` records what is missing" in told[-1]
    assert store.runs() == []
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.uri)
    project.resume()
    assert store.run.info.status == "FINISHED"
    assert store.run.data.metrics["best_score"] == result.best_score


def test_what_finds_no_room_in_the_queue_is_read_from_the_feed(project, store, caplog):
    project.run("queue_size = 1")
    assert store.run.data.tags["gepa.last_event"] == str(project.events()[-1]["seq"])
    assert [value for _, value in store.history("best_score")][:-1] == [
        update["best_score"] for update in project.of("frontier.updated")
    ]
    assert warnings_of(caplog) == []


def test_a_store_that_cannot_be_used_is_a_warning_of_one_line_without_secrets(build, caplog, tmp_path):
    (tmp_path / "mlflow.db").mkdir()
    listener = build(redact=lambda text: text.replace("unable", "[redacted]"), close_seconds=3.0)
    listener.on_event(Event(seq=1, elapsed_seconds=0.0, body=RunStarted(1, "d", {})))
    listener.close()
    (told,) = warnings_of(caplog)
    assert "has not recorded all of the run" in told
    assert "\n" not in told
    assert "unable" not in told


def test_a_store_that_fails_again_and_again_is_tried_until_it_takes_the_run(
    build, project, store, caplog, monkeypatch
):
    really, tries, taken = Record.open, [], threading.Event()

    def opened(*given):
        tries.append(given)
        if len(tries) <= 7:
            raise RuntimeError("too busy")
        taken.set()
        return really(*given)

    monkeypatch.setattr(Record, "open", staticmethod(opened))
    monkeypatch.setattr("gepa_mlflow.worker._LONGEST_PAUSE_SECONDS", 0.001)
    listener = build(tracking_uri=store.uri, flush_seconds=0.01, close_seconds=50.0)
    listener._worker._pause = 0.001
    listener.on_event(Event(seq=1, elapsed_seconds=0.0, body=RunStarted(1, "d", {})))
    assert taken.wait(30)
    listener.close()
    assert store.run.data.tags["gepa.status"] == "stopped"
    (told,) = warnings_of(caplog)
    assert "too busy; the run goes on, and it is tried again" in told


def test_a_thread_that_ends_before_its_time_promises_no_further_try(build, caplog, monkeypatch):
    def broken(_):
        raise RuntimeError("no way")

    monkeypatch.setattr("gepa_mlflow.places.Place.unreachable", broken)
    listener = build(flush_seconds=0.01)
    listener.on_event(Event(seq=1, elapsed_seconds=0.0, body=RunStarted(1, "d", {})))
    listener._thread.join(30)
    (told,) = warnings_of(caplog)
    assert "records no more of the run: RuntimeError: no way; `gepa resume" in told
    assert "tried again" not in told
    listener.close()


def test_a_malformed_address_costs_the_run_a_warning_and_tells_no_secret(build, caplog):
    listener = build(environ={"MLFLOW_TRACKING_URI": "http://me:canary/ss@host:5000"}, close_seconds=3.0)
    listener.on_event(Event(seq=1, elapsed_seconds=0.0, body=RunStarted(1, "d", {})))
    listener.close()
    (told,) = warnings_of(caplog)
    assert told.startswith("http://[redacted] has not recorded all of the run: it cannot be reached:")
    assert "canary" not in caplog.text


def test_a_listener_that_is_closed_takes_no_more(build):
    listener = build()
    listener.close()
    with pytest.raises(GepaError, match="closed"):
        listener.on_event(Event(seq=1, elapsed_seconds=0.0, body=RunStarted(1, "d", {})))


def test_a_run_that_was_deleted_in_mlflow_is_recorded_anew(build, project, store):
    project.run()
    events = project.events()
    store.client.delete_run(store.run.info.run_id)
    build(tracking_uri=store.uri, close_seconds=50.0).close()
    assert store.run.data.tags["gepa.last_event"] == str(len(events))


def test_artifacts_that_cannot_be_kept_are_one_warning_and_metrics_are_recorded_all_the_same(
    project, store, caplog
):
    (project.path / "mlruns").write_text("in the way")
    result = project.run()
    assert store.run.info.status == "FINISHED"
    assert store.run.data.metrics["best_score"] == result.best_score
    (told,) = warnings_of(caplog)
    assert "keeps no artifacts of this run" in told
