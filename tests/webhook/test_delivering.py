from __future__ import annotations

import base64
import json
import socket
import time

import pytest
from standardwebhooks.webhooks import Webhook

from gepa_framework.errors import WorkspaceError
from gepa_framework.types import event_fields

ACCEPTED, FINISHED = "candidate.accepted", "gepa.run.finished"
PATIENT = 600.0


def seqs(deliveries):
    return [each.event["seq"] for each in deliveries]


def test_events_are_posted_in_their_order_and_signed_as_the_standard_says(webhook, receiver, say, secret):
    listener = webhook()
    say(listener, "gepa.run.started", ACCEPTED, FINISHED)
    listener.close()
    assert seqs(receiver.heard) == [1, 2, 3]
    for each in receiver.heard:
        assert each.signed_by()
        assert not each.signed_by(bytes(32))
        assert Webhook(secret).verify(each.body, dict(each.headers)) == each.event
        assert each.headers["content-type"] == "application/json"
        assert abs(int(each.headers["webhook-timestamp"]) - time.time()) < 60
        assert "." not in each.id
    assert len({each.id for each in receiver.heard}) == 3


def test_a_body_holds_the_run_the_number_and_all_fields_of_the_event(webhook, receiver, say):
    listener = webhook()
    (event,) = say(listener, ACCEPTED)
    listener.close()
    data = json.loads(json.dumps(event_fields(event), default=dict))
    envelope = {name: data.pop(name) for name in ("type", "seq", "elapsed_seconds")}
    assert receiver.heard[0].event == {**envelope, "run_id": "r1", "data": data}


def test_an_event_that_is_not_wanted_is_not_posted(webhook, receiver, say):
    listener = webhook(events=("candidate.*", "gepa.stop"))
    say(listener, "gepa.run.started", ACCEPTED, "rollout.completed", "candidate.rejected", "gepa.stop")
    listener.close()
    assert seqs(receiver.heard) == [2, 4, 5]


def test_by_default_the_course_of_the_run_is_told_and_no_single_rollout(webhook, receiver, say):
    listener = webhook()
    told = (
        "gepa.run.started", "gepa.run.failed", "gepa.run.cancelled", "gepa.run.extended", "gepa.stop",
        ACCEPTED, "heldout.verdict", "deployment.decided", FINISHED,
    )  # fmt: skip
    say(listener, *told, "rollout.completed", "candidate.rejected", "iteration.started")
    listener.close()
    assert [each.event["type"] for each in receiver.heard] == list(told)


def test_what_an_overloaded_receiver_turned_away_is_posted_again_under_the_same_id(
    webhook, receiver, say, warnings
):
    receiver.script = [receiver.status(503), receiver.status(500, b"<h1>oh"), receiver.status(429)]
    listener = webhook()
    say(listener, ACCEPTED, FINISHED)
    listener.close()
    assert seqs(receiver.heard) == [1, 1, 1, 1, 2]
    assert len({(each.id, each.body) for each in receiver.heard}) == 2
    assert all(each.signed_by() for each in receiver.heard)
    assert warnings() == []


def test_a_receiver_that_asks_for_time_gets_it(webhook, receiver, say):
    receiver.script = [receiver.status(503, retry_after="1")]
    listener = webhook()
    began = time.monotonic()
    say(listener, FINISHED)
    listener.close()
    assert len(receiver.heard) == 2
    assert time.monotonic() - began >= 1.0


@pytest.mark.parametrize("trouble", ["hang", "reset"])
def test_what_the_network_lost_is_posted_again(webhook, receiver, say, trouble):
    receiver.script = [getattr(receiver, trouble)]
    listener = webhook(timeout_seconds=0.3 if trouble == "hang" else 10.0)
    say(listener, ACCEPTED, FINISHED)
    receiver.wait(3)
    listener.close()
    assert seqs(receiver.heard)[:2] == [1, 1]
    assert seqs(receiver.taken)[-1] == 2


def test_an_answer_that_never_ends_is_an_answer(webhook, receiver, say, warnings):
    receiver.script = [receiver.slow_body]
    listener = webhook()
    say(listener, ACCEPTED, FINISHED)
    listener.close()
    assert not receiver.released.is_set()
    assert seqs(receiver.heard) == [1, 2]
    assert warnings() == []


def test_an_answer_that_is_held_open_for_longer_than_an_attempt_may_take_is_an_answer(
    webhook, receiver, say, warnings
):
    receiver.always = receiver.slow_body
    listener = webhook(timeout_seconds=0.5)
    say(listener, ACCEPTED, FINISHED)
    listener.close()
    assert not receiver.released.is_set()
    assert seqs(receiver.heard) == [1, 2]
    assert warnings() == []


def test_one_that_is_not_there_is_tried_so_often_and_told_of_once(webhook, say, warnings):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    pauses = []
    listener = webhook(
        url=f"http://127.0.0.1:{port}/", max_attempts=3, pause=lambda attempt: pauses.append(attempt) or 0.0
    )
    say(listener, ACCEPTED, FINISHED)
    listener.close()
    assert pauses == [1, 2, 1, 2]
    first, last = warnings()
    assert first.startswith(f"{ACCEPTED} (event 1) is not delivered to http://127.0.0.1:{port}: 3 attempts")
    assert "cannot connect" in first
    assert last == f"2 of 2 events were not delivered to http://127.0.0.1:{port} (2 given up)"


@pytest.mark.parametrize("code", [400, 401, 404, 301])
def test_one_that_refuses_is_not_asked_twice_and_hears_the_next_event(webhook, receiver, say, warnings, code):
    receiver.script = [receiver.status(code, b"no", location="/elsewhere")] * 2
    listener = webhook()
    say(listener, ACCEPTED, ACCEPTED, FINISHED)
    listener.close()
    assert seqs(receiver.heard) == [1, 2, 3]
    assert {each.path for each in receiver.heard} == {"/hook"}
    first, last = warnings()
    assert f"status {code}" in first
    assert ("redirect, which is not followed" in first) == (code == 301)
    assert last.startswith("2 of 3 events were not delivered")


def test_one_that_is_gone_is_left_alone(webhook, receiver, say, warnings):
    receiver.script = [receiver.status(410)]
    listener = webhook()
    say(listener, ACCEPTED, ACCEPTED, FINISHED)
    listener.close()
    assert seqs(receiver.heard) == [1]
    first, last = warnings()
    assert "status 410" in first
    assert "gets nothing more" in first
    assert last.startswith("3 of 3 events were not delivered")


def test_telling_waits_for_nobody(webhook, receiver, say):
    receiver.script = [receiver.hang]
    listener = webhook(timeout_seconds=PATIENT)
    say(listener, ACCEPTED)
    receiver.wait(1)
    say(listener, *[ACCEPTED] * 50, start=2)
    assert not receiver.released.is_set()
    assert len(receiver.heard) == 1
    receiver.released.set()
    listener.close()
    assert seqs(receiver.taken) == list(range(1, 52))


def test_when_too_many_wait_the_oldest_go_and_that_is_told_once(webhook, receiver, say, warnings):
    receiver.script = [receiver.hang]
    listener = webhook(timeout_seconds=PATIENT, max_queue=2)
    say(listener, ACCEPTED)
    receiver.wait(1)
    say(listener, *[ACCEPTED] * 4, FINISHED, start=2)
    receiver.released.set()
    listener.close()
    assert seqs(receiver.taken) == [1, 5, 6]
    full, last = warnings()
    assert "2 wait, and the oldest are dropped" in full
    assert last == f"3 of 6 events were not delivered to {receiver.url[:-5]} (3 dropped)"


def test_closing_does_not_wait_for_one_that_hangs(webhook, receiver, say, warnings):
    receiver.always = receiver.hang
    listener = webhook(timeout_seconds=PATIENT, close_seconds=0.05)
    say(listener, ACCEPTED, ACCEPTED, FINISHED)
    receiver.wait(1)
    listener.close()
    assert not receiver.released.is_set()
    (last,) = warnings()
    assert last.startswith("3 of 3 events were not delivered")
    assert last.endswith("(3 left); gepa resume delivers what is left")


def test_closing_does_not_wait_for_the_time_of_the_next_attempt(webhook, receiver, say):
    receiver.script = [receiver.status(503)]
    listener = webhook(pause=lambda _: PATIENT)
    say(listener, ACCEPTED, FINISHED)
    receiver.wait(1)
    listener.close()
    assert seqs(receiver.heard) == [1, 1, 2]


def test_closing_cuts_one_wait_short_and_not_all(webhook, receiver, say, warnings):
    receiver.always = receiver.status(503)
    listener = webhook(pause=lambda _: PATIENT, close_seconds=3.0)
    say(listener, FINISHED)
    receiver.wait(1)
    listener.close()
    assert seqs(receiver.heard) == [1, 1]
    assert "(1 left)" in warnings()[-1]


def test_an_event_after_the_end_is_refused(webhook, say):
    listener = webhook()
    listener.close()
    with pytest.raises(WorkspaceError, match="is closed"):
        say(listener, FINISHED)


def test_while_secrets_change_both_sign(webhook, receiver, say, key):
    new = bytes(range(100, 130))
    both = f"whsec_{base64.b64encode(new).decode()} {base64.b64encode(key).decode()}"
    listener = webhook(environ={"HOOK_SECRET": both})
    say(listener, FINISHED)
    listener.close()
    assert receiver.heard[0].signed_by(key)
    assert receiver.heard[0].signed_by(new)


def test_further_headers_come_from_the_environment(webhook, receiver, say, secret):
    environ = {"HOOK_SECRET": secret, "HOOK_LOGIN": "Bearer abc def"}
    listener = webhook(headers_env={"Authorization": "HOOK_LOGIN"}, environ=environ)
    say(listener, FINISHED)
    listener.close()
    assert receiver.heard[0].headers["authorization"] == "Bearer abc def"


def test_no_message_shows_a_secret(webhook, receiver, say, caplog, secret):
    environ = {"HOOK_SECRET": secret, "HOOK_LOGIN": "opensesame"}
    shown = f"{secret} opensesame".encode()
    receiver.script = [receiver.status(400, shown)]
    caplog.set_level(1)
    listener = webhook(headers_env={"X-Login": "HOOK_LOGIN"}, environ=environ)
    say(listener, ACCEPTED, FINISHED)
    listener.close()
    assert "status 400" in caplog.text
    assert secret not in caplog.text + repr(vars(listener))
    assert "opensesame" not in caplog.text


@pytest.mark.parametrize("trouble", ["refusal", "echo", "hang", "reset"])
def test_no_message_shows_the_path_and_the_query(webhook, receiver, say, caplog, trouble):
    receiver.always = {
        "refusal": receiver.status(404),
        "echo": receiver.status(403, b"no CAPABILITY at /services/T%7CB/CAPABILITY?sig=QQQ"),
        "hang": receiver.hang,
        "reset": receiver.reset,
    }[trouble]
    caplog.set_level(1)
    # The stroke is one of the characters that httpx spells in its own way.
    url = receiver.url.replace("/hook", "/services/T|B/CAPABILITY?sig=QQQ")
    listener = webhook(url=url, timeout_seconds=0.2 if trouble == "hang" else 10.0, max_attempts=1)
    say(listener, FINISHED)
    listener.close()
    assert f"is not delivered to {receiver.url[:-5]}: " in caplog.text
    assert not [word for word in ("CAPABILITY", "QQQ", "T|B", "services") if word in caplog.text]
