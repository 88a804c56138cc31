from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
from contextlib import suppress

import pytest

from gepa_framework.errors import PluginError
from gepa_framework.testing.leaks import Traces
from gepa_framework.testing.samples import sample_body, sample_events
from gepa_framework.types import Event, event_fields

STARTED = Event(1, 0.0, sample_body("gepa.run.started", limits={"total_rollouts": 4, "cost_usd": 2.0}))


def told(listener, *bodies, first=2):
    for seq, (type_, changes) in enumerate(bodies, start=first):
        listener.on_event(Event(seq, float(seq), sample_body(type_, **changes)))


def record(context, events):
    context.run_dir.mkdir(parents=True)
    lines = [json.dumps(event_fields(event), default=dict) + "\n" for event in events]
    (context.run_dir / "events.jsonl").write_text("".join(lines))


def test_the_target_file_says_where_the_metrics_are_until_the_listener_is_closed(build, context, metrics):
    listener = build(labels={"team": "search"})
    listener.on_event(STARTED)
    path = context.run_dir / "prometheus.json"
    where = {"targets": [f"127.0.0.1:{listener.port}"], "labels": {"run": "run-1", "team": "search"}}
    assert json.loads(path.read_text()) == [where]
    assert metrics(listener)["gepa_events_total"] == 1
    listener.close()
    assert list(context.run_dir.iterdir()) == []


def test_many_runs_have_their_targets_in_one_directory(build, context):
    listener = build(targets_dir="targets", advertise="worker-7")
    listener.on_event(STARTED)
    (group,) = json.loads((context.base_dir / "targets/gepa-run-1.json").read_text())
    assert group["targets"] == [f"worker-7:{listener.port}"]


def test_who_listens_everywhere_is_found_by_the_name_of_the_machine(build, context):
    listener = build(host="0.0.0.0")
    listener.on_event(STARTED)
    (group,) = json.loads((context.run_dir / "prometheus.json").read_text())
    assert group["targets"] == [f"{socket.gethostname()}:{listener.port}"]


def test_an_address_of_the_sixth_version_stands_in_brackets(build, context, get):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    listener = build(host="::1")
    listener.on_event(STARTED)
    (group,) = json.loads((context.run_dir / "prometheus.json").read_text())
    assert group["targets"] == [f"[::1]:{listener.port}"]
    assert "gepa_run_info" in get(f"http://[::1]:{listener.port}/metrics")


def test_two_runs_of_one_process_do_not_collide(build, metrics):
    one, other = build(targets_dir="one"), build(targets_dir="other")
    one.on_event(STARTED)
    other.on_event(STARTED)
    told(other, ("rollout.completed", {"stage": "heldout"}))
    series = 'gepa_rollouts_total{outcome="completed",stage="heldout"}'
    assert (metrics(one)[series], metrics(other)[series]) == (0, 1)


def test_a_port_that_is_taken_is_told_with_address_and_cure_and_events_are_counted_all_the_same(
    build, context, parsed
):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        listener = build(port=port, textfile_dir="text")
        with pytest.raises(
            PluginError, match=f"served at 127.0.0.1:{port}: Address already in use; .*port 0"
        ):
            listener.on_event(STARTED)
        told(listener, ("iteration.started", {"iteration": 3}))
        listener.close()
    text = parsed((context.base_dir / "text/gepa-run-1.prom").read_text())
    assert text['gepa_iterations_total{run="run-1"}'] == 3
    assert not context.run_dir.exists()


def test_a_directory_that_cannot_be_written_is_told(build, context):
    (context.base_dir / "file").write_text("")
    listener = build(textfile_dir="file/below")
    with pytest.raises(PluginError, match=r"file/below/gepa-run-1.prom cannot be written: .*; allow it, or"):
        listener.on_event(STARTED)
    assert listener.port, "the metrics are served all the same"


def test_a_target_file_that_cannot_be_written_leaves_nothing_open(build, context):
    (context.base_dir / "file").write_text("")
    before = Traces.now()
    listener = build(targets_dir="file/below")
    with pytest.raises(PluginError, match=r"gepa-run-1.json cannot be written"):
        listener.on_event(STARTED)
    listener.close()
    assert before.left_since() == {}


def test_the_text_file_stays_with_the_last_values_and_its_run_in_each_series(build, context, parsed):
    listener = build(http=False, textfile_dir="text", labels={"team": "search"})
    listener.on_event(STARTED)
    told(listener, ("gepa.run.finished", {}))
    listener.close()
    assert listener.port is None
    (path,) = (context.base_dir / "text").iterdir()
    values = parsed(path.read_text())
    assert path.name == "gepa-run-1.prom"
    assert values['gepa_run_state{run="run-1",state="finished",team="search"}'] == 1
    assert all('run="run-1"' in name and 'team="search"' in name for name in values)


def test_the_text_file_is_replaced_while_the_run_goes_on(build, context, parsed, until, monkeypatch):
    monkeypatch.setattr("gepa_prometheus.files._WRITING_SECONDS", 0.01)
    listener = build(http=False, textfile_dir="text")
    listener.on_event(STARTED)
    told(listener, ("iteration.started", {"iteration": 7}))
    path = context.base_dir / "text/gepa-run-1.prom"
    until(lambda: parsed(path.read_text())['gepa_iterations_total{run="run-1"}'] == 7)


def test_a_run_that_is_left_before_it_is_over_is_interrupted(build, context, parsed):
    listener = build(http=False, textfile_dir="text")
    listener.on_event(STARTED)
    listener._tally.heard_at -= 3600  # it waited in vain for an hour
    before = time.time()
    listener.close()
    values = parsed((context.base_dir / "text/gepa-run-1.prom").read_text())
    assert values['gepa_run_state{run="run-1",state="interrupted"}'] == 1
    assert values['gepa_last_event_timestamp_seconds{run="run-1"}'] >= before
    assert values['gepa_run_active{run="run-1"}'] == 0


def test_a_run_that_is_over_waits_for_one_more_scrape_and_no_longer(build, metrics, until):
    listener = build(linger_seconds=60.0)
    listener.on_event(STARTED)
    told(listener, ("gepa.run.finished", {}))
    assert metrics(listener)["gepa_run_active"] == 0
    closing = threading.Thread(target=listener.close)
    closing.start()
    until(listener._server._server.awaited.is_set)
    assert closing.is_alive(), "what was scraped before does not count"
    assert metrics(listener)['gepa_run_state{state="finished"}'] == 1
    closing.join(10)
    assert not closing.is_alive()


def test_nobody_is_waited_for_longer_than_is_asked_for(build):
    listener = build(linger_seconds=0.1)
    listener.on_event(STARTED)
    began = time.monotonic()
    listener.close()
    assert 0.1 <= time.monotonic() - began < 5


def test_ctrl_c_ends_the_wait_and_nothing_else(build, context, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("gepa_prometheus.server.MetricsServer.wait_for_scrape", interrupted)
    listener = build(linger_seconds=60.0)
    listener.on_event(STARTED)
    before = time.monotonic()
    listener.close()
    assert time.monotonic() - before < 5
    assert list(context.run_dir.iterdir()) == []


def test_a_client_that_says_nothing_does_not_hold_up_the_end(build):
    before = Traces.now()
    listener = build()
    listener.on_event(STARTED)
    with socket.create_connection(("127.0.0.1", listener.port)) as silent:
        silent.sendall(b"GET /metr")
        began = time.monotonic()
        listener.close()
        assert time.monotonic() - began < 2
        silent.settimeout(2)
        with suppress(ConnectionResetError):
            assert silent.recv(1) == b""
    assert before.left_since() == {}


def test_the_port_is_free_again_at_once(build):
    first = build()
    first.on_event(STARTED)
    port = first.port
    first.close()
    second = build(port=port)
    second.on_event(STARTED)
    assert second.port == port


def test_a_closed_listener_takes_no_more(build):
    listener = build()
    listener.close()
    with pytest.raises(PluginError, match="is closed"):
        listener.on_event(STARTED)


@pytest.mark.parametrize("first", [2, 7, 8, 15, 29])
def test_a_resumed_run_goes_on_counting_where_it_stands(build, context, metrics, first):
    events = [event for event in sample_events() if not event.type.startswith("gepa.run.f")]
    events = [Event(seq, each.elapsed_seconds, each.body) for seq, each in enumerate(events, start=1)]
    whole = build(targets_dir="whole")
    for event in events:
        whole.on_event(event)
    # An event is in the feed before it is told, and may be there with those that came with it.
    record(context, events[: first + 2])
    resumed = build()
    for event in events[first - 1 :]:
        resumed.on_event(event)
    was, is_now = metrics(whole), metrics(resumed)
    assert is_now.pop("gepa_last_event_timestamp_seconds") >= was.pop("gepa_last_event_timestamp_seconds")
    assert is_now == was


def test_a_record_of_another_version_counts_as_far_as_it_is_understood(build, context, metrics):
    record(context, [STARTED])
    with (context.run_dir / "events.jsonl").open("a") as file:
        file.write('{"seq":2,"elapsed_seconds":1.0,"type":"from.the.future","x":1}\n')
        file.write('{"seq":3,"elapsed_seconds":1.0,"type":"iteration.skipped","x":1}\n')
        file.write('{"seq":4,"elapsed_seconds":1.0,"type":"iteration.started","iteration":2,"parent_id":"c",')
        file.write('"rule":"r","rows":[]}\n{"seq":5,"elaps')
    listener = build()
    told(listener, ("iteration.started", {"iteration": 3}), first=5)
    values = metrics(listener)
    assert (values["gepa_events_total"], values["gepa_iterations_total"]) == (5, 3)
    assert values['gepa_budget_limit{budget="total_rollouts"}'] == 4


def test_events_that_are_nowhere_on_record_are_told_once(build, caplog, metrics):
    listener = build()
    with caplog.at_level(logging.WARNING):
        told(listener, ("iteration.started", {}), ("iteration.started", {}), first=9)
    assert [record.getMessage().partition(" are not in")[0] for record in caplog.records] == ["events 1 to 8"]
    assert metrics(listener)["gepa_events_total"] == 10


def test_what_is_unknown_is_not_zero(build, metrics):
    listener = build()
    listener.on_event(STARTED)
    told(
        listener,
        ("rollout.completed", {"cost_usd": None, "total_tokens": None}),
        ("rollout.completed", {"cost_usd": 0.5, "total_tokens": 7, "stage": "from_a_plugin"}),
        ("work.abandoned", {"rollouts": 1, "proposals": 2}),
    )
    values = metrics(listener)
    assert not [name for name in values if name.startswith(("gepa_best_score", "gepa_heldout"))]
    assert values['gepa_unpriced_calls_total{boundary="rollout"}'] == 1
    assert values['gepa_cost_usd_total{boundary="rollout"}'] == 0.5
    assert values['gepa_tokens_total{boundary="rollout"}'] == 7
    assert values['gepa_budget_used_ratio{budget="cost_usd"}'] == 0.25
    assert values['gepa_budget_used_ratio{budget="total_rollouts"}'] == 0.75
    assert values['gepa_abandoned_calls_total{boundary="proposer"}'] == 2
    assert values['gepa_rollouts_total{outcome="completed",stage="other"}'] == 2


def test_failures_of_the_proposer_in_a_row_end_with_a_usable_proposal(build, metrics):
    listener = build()
    listener.on_event(STARTED)
    told(listener, ("proposer.failed", {}), ("proposal.refused", {}), ("proposer.failed", {}))
    assert metrics(listener)["gepa_proposer_consecutive_failures"] == 2
    told(listener, ("proposer.completed", {}), first=5)
    values = metrics(listener)
    assert values["gepa_proposer_consecutive_failures"] == 0
    assert [values[f'gepa_proposals_total{{outcome="{o}"}}'] for o in ("completed", "refused", "failed")] == [
        1,
        1,
        2,
    ]


@pytest.mark.parametrize("action", ["dropped", "sent_back"])
def test_a_usable_proposal_that_was_overtaken_is_a_call_of_unknown_cost_and_ends_failures_in_a_row(
    build, metrics, action
):
    listener = build()
    listener.on_event(Event(1, 0.0, sample_body("gepa.run.started", limits={"proposals": 4})))
    told(listener, ("proposer.failed", {}), ("proposal.overtaken", {"action": action}))
    values = metrics(listener)
    assert values["gepa_proposer_consecutive_failures"] == 0
    assert values['gepa_proposals_total{outcome="overtaken"}'] == 1
    assert values['gepa_unpriced_calls_total{boundary="proposer"}'] == 1
    assert values['gepa_budget_used_ratio{budget="proposals"}'] == 0.5
    assert values['gepa_proposals_dropped_total{reason="overtaken"}'] == (action == "dropped")


def test_raised_limits_hold_and_a_run_that_goes_on_is_active_again(build, metrics):
    listener = build()
    listener.on_event(STARTED)
    told(listener, ("gepa.run.finished", {}), ("gepa.run.extended", {"limits": {"total_rollouts": 8}}))
    values = metrics(listener)
    assert values["gepa_run_active"] == 1
    assert values['gepa_run_state{state="extended"}'] == 1
    assert values['gepa_budget_limit{budget="total_rollouts"}'] == 8


@pytest.mark.parametrize(
    ("types", "state"),
    [
        ([], "initializing"),
        (["candidate.registered"], "seed_full_train"),
        (["iteration.started", "candidate.registered"], "searching"),
        (["iteration.started", "gepa.run.extended"], "searching"),
        (["iteration.started", "heldout.started"], "heldout"),
        (["gepa.run.finished"], "finished"),
        (["gepa.run.failed"], "failed"),
        (["gepa.run.cancelled"], "cancelled"),
    ],
)
def test_the_state_is_the_one_that_is_known_elsewhere(build, metrics, types, state):
    listener = build()
    listener.on_event(STARTED)
    told(listener, *[(type_, {}) for type_ in types])
    states = {
        name for name, value in metrics(listener).items() if name.startswith("gepa_run_state") and value
    }
    assert states == {f'gepa_run_state{{state="{state}"}}'}


def test_every_series_is_there_from_the_start_and_none_is_without_end(build, metrics):
    listener = build()
    listener.on_event(STARTED)
    first = set(metrics(listener))
    kinds = {"kind": "from_a_plugin", "stage": "from_a_plugin"}
    told(listener, *[("rollout.failed", {**kinds, "code": f"c{n}", "row_id": f"r{n}"}) for n in range(50)])
    assert set(metrics(listener)) - first == {
        'gepa_rollouts_total{outcome="failed",stage="other"}',
        'gepa_rollout_failures_total{kind="other"}',
    }


def test_the_last_event_is_told_in_seconds_since_the_epoch(build, metrics):
    listener = build()
    before = time.time()
    listener.on_event(STARTED)
    assert before <= metrics(listener)["gepa_last_event_timestamp_seconds"] <= time.time()


def test_a_draft_of_a_file_is_never_left(build, context, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "no")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    monkeypatch.setattr(os, "rename", refuse)
    listener = build(textfile_dir="text", targets_dir="targets")
    with pytest.raises(PluginError):
        listener.on_event(STARTED)
    assert list(context.base_dir.rglob("gepa-*")) == []
