from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from fnmatch import fnmatchcase

import pytest

from gepa_framework import GepaRun
from gepa_framework.builtin.webhook_config import DEFAULT_EVENTS

PATIENCE = 50


def wanted(feed):
    return [each for each in feed if any(fnmatchcase(each["type"], one) for one in DEFAULT_EVENTS)]


def seqs(deliveries):
    return [each.event["seq"] for each in deliveries]


def test_a_run_tells_what_came_of_it(project, receiver):
    result = GepaRun.from_toml(project.write(), environ={}).execute()
    assert result.status == "finished"
    feed = wanted(project.feed())
    assert seqs(receiver.heard) == [each["seq"] for each in feed]
    for delivery, line in zip(receiver.heard, feed, strict=True):
        event = delivery.event
        assert {**event.pop("data"), **event} == {**line, "run_id": "r1"}


def test_a_run_does_not_wait_for_a_receiver_that_hangs(project, receiver):
    receiver.always = receiver.hang
    config = project.write(close_seconds=0.05, timeout_seconds=600.0)
    result = GepaRun.from_toml(config, environ={}).execute()
    assert result.status == "finished"
    assert not receiver.released.is_set()
    assert len(receiver.heard) <= 1
    # All was on record while the first delivery was still waited for.
    assert project.feed()[-1]["type"] == "gepa.run.finished"


def test_a_run_that_is_deleted_and_begun_again_is_not_taken_for_a_repetition(project, receiver):
    for _ in range(2):
        GepaRun.from_toml(project.write(), environ={}).execute()
        shutil.rmtree(project.run_dir)
    ids = [each.id for each in receiver.heard]
    assert len(set(ids)) == len(ids)
    half = len(ids) // 2
    assert seqs(receiver.heard[:half]) == seqs(receiver.heard[half:])


def test_what_a_run_could_not_deliver_is_delivered_when_it_is_resumed(project, receiver):
    def settled():
        (mark,) = project.run_dir.glob("webhook.*.json")
        return json.loads(mark.read_text())["settled"]

    receiver.script = [receiver.status(200), receiver.status(200)]
    receiver.always = receiver.hang
    config = project.write(close_seconds=1.0, timeout_seconds=600.0)
    GepaRun.from_toml(config, environ={}).execute()
    owed = [each["seq"] for each in wanted(project.feed())]
    assert settled() in (0, *owed[:2])
    receiver.always = receiver.status(200)
    deadline = time.monotonic() + PATIENCE
    while settled() != owed[-1] and time.monotonic() < deadline:
        GepaRun.resume(project.run_dir).execute()  # each has a second
    assert sorted(set(seqs(receiver.taken))) == owed
    heard = len(receiver.heard)
    GepaRun.resume(project.run_dir).execute()
    assert len(receiver.heard) == heard


@contextmanager
def started(project, *arguments):
    process = subprocess.Popen(
        project.command(*arguments),
        cwd=project.path,
        env=project.environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("held", ["gepa.run.started", "candidate.accepted", "gepa.run.finished"])
@pytest.mark.timeout(120)
def test_a_run_that_is_killed_and_resumed_tells_everything(project, receiver, held):
    def hold(handler):
        if receiver.heard[-1].event["type"] == held:
            return receiver.hang(handler)
        return receiver.status(200)(handler)

    receiver.always = hold
    project.write(delay=0.05, timeout_seconds=600.0, close_seconds=600.0)
    with started(project, "run", "--config", "gepa.toml") as process:
        receiver.wait_for(held)
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
    before = list(receiver.heard)
    receiver.always = receiver.status(200)
    with started(project, "resume", "runs/r1") as process:
        output, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, output
    feed = wanted(project.feed())
    after = receiver.heard[len(before) :]
    # What hung is told once more, under its old id, and all that follows in its order; nothing is left out.
    assert (after[0].id, after[0].body) == (before[-1].id, before[-1].body)
    assert seqs(before)[:-1] + seqs(after) == [each["seq"] for each in feed]
    assert all(each.signed_by() for each in receiver.heard)


def test_a_webhook_that_joins_later_hears_what_is_new(webhook, receiver, say, context):
    context.run_dir.mkdir(parents=True)
    (context.run_dir / "events.jsonl").write_text('{"seq":1,"elapsed_seconds":0.1,"type":"gepa.stop"}\n')
    listener = webhook()
    say(listener, "candidate.accepted", start=2)
    listener.close()
    assert seqs(receiver.heard) == [2]


@pytest.mark.parametrize(
    "other",
    [
        {"secret_env": "SECOND_SECRET"},
        {"headers_env": {"X-Login": "SECOND_SECRET"}},
        {"headers_env": {"X-Login": "HOOK_SECRET"}},
        {"events": ("gepa.*",)},
    ],
)
def test_webhooks_that_differ_in_what_they_are_told_or_sign_with_owe_each_for_itself(
    webhook, receiver, say, context, other
):
    environ = dict.fromkeys(("HOOK_SECRET", "SECOND_SECRET"), context.environ["HOOK_SECRET"])
    for keys in ({}, other):
        listener = webhook(environ=environ, **keys)
        say(listener, "gepa.stop")
        listener.close()
    assert len({each.id for each in receiver.heard}) == 2
    assert len(list(context.run_dir.glob("webhook.*.json"))) == 2


def test_a_webhook_is_the_same_when_a_secret_changes_and_in_whatever_order_headers_stand(
    webhook, receiver, say, context, secret
):
    headers = {"X-One": "ONE", "X-Two": "TWO"}
    for login, order in (("first", headers), ("other", dict(reversed(headers.items())))):
        environ = {"HOOK_SECRET": secret, "ONE": login, "TWO": login}
        listener = webhook(environ=environ, headers_env=order)
        say(listener, "gepa.stop")
        listener.close()
    assert len(list(context.run_dir.glob("webhook.*.json"))) == 1


@pytest.mark.parametrize("damage", ["", "{", '{"nonce": "x", "settled": "y"}', "[]"])
def test_a_mark_that_cannot_be_read_makes_for_repetition_not_for_loss(
    webhook, receiver, say, context, damage
):
    first = webhook()
    say(first, "gepa.stop")
    first.close()
    (mark,) = context.run_dir.glob("webhook.*.json")
    assert json.loads(mark.read_text())["settled"] == 1
    mark.write_text(damage)
    line = receiver.heard[0].event
    flat = {"seq": 1, "elapsed_seconds": line["elapsed_seconds"], "type": "gepa.stop", **line["data"]}
    (context.run_dir / "events.jsonl").write_text(
        json.dumps(flat, separators=(",", ":")) + '\n{"seq":2,dam\n'
    )
    second = webhook()
    say(second, "candidate.accepted", start=3)
    second.close()
    assert seqs(receiver.heard) == [1, 1, 3]
    assert receiver.heard[0].body == receiver.heard[1].body


def test_a_mark_that_cannot_be_written_harms_nothing(webhook, receiver, say, context, warnings):
    context.run_dir.parent.mkdir(parents=True)
    context.run_dir.write_text("no directory")
    listener = webhook()
    say(listener, "gepa.stop", "gepa.run.finished")
    listener.close()
    assert seqs(receiver.heard) == [1, 2]
    assert any("cannot be written" in each for each in warnings())
