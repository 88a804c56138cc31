"""What the page says to receivers, against what is sent."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from gepa_framework.builtin.webhook_config import DEFAULT_EVENTS

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "webhook.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def verify():
    """The function of the page."""
    (source,) = re.findall(r"<!-- file: verify.py -->\n```python\n(.*?)```", PAGE, flags=re.DOTALL)
    scope: dict = {}
    exec(compile(source, "verify.py", "exec"), scope)
    return scope["verify"]


@pytest.fixture
def delivery(webhook, receiver, say):
    listener = webhook()
    say(listener, "gepa.run.finished")
    listener.close()
    return receiver.heard[0]


def test_what_is_sent_is_verified(verify, delivery, secret):
    assert verify(secret, delivery.headers, delivery.body)
    assert verify(secret.removeprefix("whsec_"), delivery.headers, delivery.body)


def test_one_of_several_signatures_will_do(verify, delivery, secret):
    several = f"v1,AAAA v2,x {delivery.headers['webhook-signature']}"
    assert verify(secret, {**delivery.headers, "webhook-signature": several}, delivery.body)


@pytest.mark.parametrize(
    "tampered",
    [
        {"body": b"{}"},
        {"webhook-id": "gepa_another"},
        {"webhook-timestamp": "earlier"},
        {"webhook-timestamp": "now"},
        {"webhook-timestamp": "\u00b2"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,AAAA v1"},
        {"webhook-signature": "v1,caf\u00e9"},
    ],
    ids=str,
)
def test_what_was_tampered_with_is_not(verify, delivery, secret, tampered):
    headers = {**delivery.headers, **tampered}
    if tampered.get("webhook-timestamp") == "earlier":
        headers["webhook-timestamp"] = str(int(delivery.headers["webhook-timestamp"]) - 10)
    assert not verify(secret, headers, headers.pop("body", delivery.body))


def test_another_name_for_a_good_signature_is_not(verify, delivery, secret):
    renamed = delivery.headers["webhook-signature"].replace("v1,", "v1a,")
    assert not verify(secret, {**delivery.headers, "webhook-signature": renamed}, delivery.body)


def test_another_secret_is_not(verify, delivery):
    assert not verify("whsec_" + "A" * 44, delivery.headers, delivery.body)


def test_what_is_sent_again_much_later_is_not(verify, delivery, secret, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: float(delivery.headers["webhook-timestamp"]) + 301)
    assert not verify(secret, delivery.headers, delivery.body)


def test_the_page_names_what_is_sent_by_default():
    told = PAGE.partition("## What is sent\n")[2].partition("`events` names")[0]
    assert tuple(re.findall(r"`([a-z]+\.[a-z.*]+)`", told)) == DEFAULT_EVENTS


def test_the_body_of_the_page_has_the_keys_of_a_body(delivery):
    (shown,) = re.findall(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)
    assert list(json.loads(shown)) == list(delivery.event)
