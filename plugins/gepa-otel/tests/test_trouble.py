"""A collector that is down, slow or gone costs warnings, and never the run."""

from __future__ import annotations

import logging
import socket
import threading
import time
from base64 import b64encode

import pytest

from gepa_framework.testing.samples import sample_body
from gepa_framework.types import BuildContext, Effect, EffectKind, Event
from gepa_otel.config import OtelConfig
from gepa_otel.ids import iteration_name, span_id, trace_id
from gepa_otel.plugin import gepa_make_listener
from gepa_otel.spans import Address
from gepa_otel.starts import FILE, Starts

MS = 1_000_000
_LOGGER = "gepa_framework.plugin"


@pytest.fixture
def build(tmp_path):
    def build(url, environ=None, redact=str, **config):
        context = BuildContext("r1", tmp_path, tmp_path, environ=environ or {}, redact=redact)
        return gepa_make_listener(OtelConfig(endpoint=url, **config), context)

    return build


def effect(number=1, **changes):
    given = {"began_ns": number * MS, "ended_ns": (number + 1) * MS, "iteration": 1, **changes}
    return Effect(f"rollout/{number}", EffectKind.ROLLOUT, **given)


@pytest.fixture
def nowhere():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def test_a_run_without_a_collector_ends_well_with_few_words(project, nowhere):
    done = project.run(project.write(endpoint=nowhere, close_seconds=0.3))
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if nowhere in line]
    assert 1 <= len(lines) <= 2
    effects = len(project.effects())
    assert f"spans have not reached the collector {nowhere}/v1/traces" in lines[-1]
    assert int(lines[-1].split(" of ")[1].split()[0]) == effects + 7


def test_what_keeps_failing_is_told_once(build, fake, caplog):
    fake.status = 400
    listener = build(fake.url, queue_size=4)
    with caplog.at_level(logging.WARNING):
        for number in range(1, 40):
            listener.on_effect(effect(number))
            fake.asked.wait(5)
        listener.close()
    told = [record.getMessage() for record in caplog.records if record.name == _LOGGER]
    assert len(told) == len(caplog.records)
    assert len(told) == 2
    assert told[0].startswith(f"the collector {fake.url}/v1/traces takes no spans: ")
    assert "39 of 39 spans have not reached" in told[1]


def test_a_collector_that_says_nothing_holds_nothing_up(build, fake, caplog):
    fake.status = None
    listener = build(fake.url, queue_size=8, close_seconds=0.1)
    began = time.monotonic()
    for number in range(1, 2001):
        listener.on_effect(effect(number))
    assert fake.asked.wait(5)
    listener.close()
    assert time.monotonic() - began < 5
    fake.over.set()
    assert "2000 of 2000 spans have not reached the collector" in caplog.text


def test_what_the_queue_cannot_hold_is_lost_and_told_and_the_rest_arrives(build, fake, caplog):
    listener = build(fake.url, queue_size=1)
    for number in range(1, 200):
        listener.on_effect(effect(number))
    listener.close()
    lost = 199 - len(fake.spans)
    assert fake.spans
    assert not lost or f"{lost} of 199 spans have not reached" in caplog.text


def test_other_users_of_the_exporter_in_the_process_are_heard(build, fake, caplog):
    logger = logging.getLogger("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    fake.status = 400
    listener = build(fake.url, queue_size=1)
    listener.on_effect(effect())
    assert fake.asked.wait(5)
    with caplog.at_level(logging.WARNING):
        logger.warning("of another")
        listener.close()
        logger.warning("and later")
    assert {"of another", "and later"} <= {record.getMessage() for record in caplog.records}
    assert logger.filters == []


def test_headers_come_from_the_environment_and_are_in_no_message(build, fake, caplog):
    given = {"environ": {"TOKEN": "canary-4711"}, "headers_env": {"x-token": "TOKEN"}}
    listener = build(fake.url, **given)
    listener.on_effect(effect())
    listener.close()
    assert fake.headers[0]["x-token"] == "canary-4711"
    fake.status = 403
    refused = build(fake.url, **given)
    refused.on_effect(effect())
    refused.close()
    assert "spans have not reached" in caplog.text
    assert "canary" not in caplog.text + repr(refused.__dict__)


def test_credentials_in_an_address_of_the_environment_are_sent_and_in_no_message(build, fake, caplog):
    url = fake.url.replace("http://", "http://who:canary%2F4711@")
    given = {"environ": {"OTEL_EXPORTER_OTLP_ENDPOINT": url}}
    listener = build(None, **given)
    listener.on_effect(effect())
    listener.close()
    assert fake.headers[0]["authorization"] == "Basic " + b64encode(b"who:canary/4711").decode()
    fake.status = 403
    refused = build(None, **given)
    refused.on_effect(effect())
    refused.close()
    assert f"spans have not reached the collector {fake.url}/v1/traces" in caplog.text
    assert "canary" not in caplog.text + repr(refused.__dict__)


def test_what_others_say_of_a_broken_address_shows_no_credentials(build, caplog):
    listener = build(
        None, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://who:canary/4711@host/v1?key=canary-4712"}
    )
    listener.on_effect(effect())
    listener.close()
    assert "the collector http://host/v1 takes no spans: " in caplog.text
    assert "canary" not in caplog.text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://host/v1/traces?key=canary", "https://host/v1/traces"),
        ("https://who:canary@host:1/v1/traces#canary", "https://host:1/v1/traces"),
        ("https://canary@host", "https://host"),
        ("https://who:ca/na#r@y@host/x?canary@y", "https://host/x"),
        ("https://who:canary://@host", "https://host"),
        ("who:canary@host", "host"),
        ("http://[canary@", "http://"),
    ],
)
def test_an_address_is_shown_without_what_may_be_a_secret(url, shown):
    address = Address(url, {}, 1.0)
    assert address.shown == shown
    assert "canary" not in repr(address)


def test_ctrl_c_ends_the_wait_for_the_last_spans_and_nothing_else(build, fake, caplog, monkeypatch):
    fake.status = None
    join, waits = threading.Thread.join, []

    def interrupted(thread, timeout=None):
        if thread.name != "gepa-otel-close":
            return join(thread, timeout)
        waits.append(timeout)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "join", interrupted)
    listener = build(fake.url, close_seconds=60.0)
    listener.on_effect(effect())
    listener.close()
    assert waits == [60.0, 0.5]
    assert "1 of 1 spans have not reached the collector" in caplog.text


def test_an_iteration_that_another_process_began_is_not_over_with_the_first_end(build, fake):
    def tell(listener, *types, iteration):
        for type_ in types:
            listener.on_event(Event(1, 0.0, sample_body(type_, iteration=iteration)))

    before = build(fake.url)
    tell(before, "iteration.started", "proposer.started", "proposer.started", iteration=1)
    before.close()
    assert fake.spans == []
    after = build(fake.url)
    tell(after, "proposer.failed", iteration=1)
    after.on_effect(effect(iteration=2))
    tell(after, "proposer.started", iteration=2)  # it overlaps
    tell(after, "candidate.rejected", iteration=1)
    tell(after, "iteration.started", iteration=3)
    assert sorted(after._iterations) == [2, 3]
    tell(after, "proposer.failed", iteration=2)
    after.on_event(Event(9, 0.0, sample_body("gepa.run.finished")))
    after.close()
    told = {
        each.attributes["gepa.iteration"]: [name for name, *_ in each.events]
        for each in fake.named("iteration")
    }
    assert told == {
        1: ["proposer.failed", "candidate.rejected"],
        2: ["proposer.started", "proposer.failed"],
        3: ["iteration.started"],
    }
    assert [name for name, *_ in fake.named("run")[0].events] == ["gepa.run.finished"]


def test_values_that_cannot_be_encoded_cost_no_batch(build, fake):
    listener = build(fake.url, capture_texts=True)
    listener.on_effect(effect(1, candidate_id="caf\udce9", message="\0\udce9" * 50_000, failed="x"))
    listener.on_effect(effect(2, row_id="r\ud800"))
    listener.close()
    assert len(fake.effects()) == 2
    assert fake.effects()[0].attributes["gepa.candidate.id"] == "caf?"
    assert len(fake.effects()[0].attributes["gepa.failure.message"]) == 32_768


def test_an_iteration_begins_with_the_first_of_its_effects_whichever_is_told_first(build, fake):
    listener = build(fake.url)
    for number in (5, 3, 4):
        listener.on_effect(effect(number, iteration=2))
    listener.on_event(Event(1, 0.0, sample_body("candidate.rejected", iteration=2)))
    listener.on_event(Event(2, 0.0, sample_body("gepa.run.finished")))
    listener.close()
    (iteration,), (run,) = fake.named("iteration"), fake.named("run")
    assert iteration.began == run.began == 3 * MS


def test_a_run_that_is_not_in_the_share_sends_nothing(build, fake):
    assert not hasattr(build(fake.url, sampling_ratio=0.0), "on_effect")
    ratio = (trace_id("r1") & (2**64 - 1)) / 2**64
    assert hasattr(build(fake.url, sampling_ratio=ratio + 0.001), "on_effect")
    assert not hasattr(build(fake.url, sampling_ratio=ratio - 0.001), "on_effect")


def test_ids_follow_from_run_and_effect_and_from_nothing_else():
    assert trace_id("r1") == 0x0FB77ABE201605559D8B8F1773152443
    assert span_id("r1", iteration_name(1)) != span_id("r1", iteration_name(11))
    assert span_id("r1", "run") != span_id("r2", "run")
    assert trace_id("r\udce9") != trace_id("r")


def test_beginnings_survive_a_process_and_a_torn_line(tmp_path):
    assert Starts(tmp_path).of("run", 5) == 5
    with (tmp_path / FILE).open("a") as file:
        file.write('{"span": "iteration/1", "beg')
    again = Starts(tmp_path)
    assert (again.of("run", 9), again.of("iteration/1", 10)) == (5, 10)
    third = Starts(tmp_path)
    assert (third.of("run", 99), third.of("iteration/1", 99)) == (5, 10)


def test_beginnings_that_cannot_be_kept_cost_nothing(tmp_path):
    starts = Starts(tmp_path / "missing")
    assert (starts.of("run", 5), starts.of("run", 6)) == (5, 5)
