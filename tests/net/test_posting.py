from __future__ import annotations

import asyncio
import time

import pytest

from gepa_framework.net import FailureClass, HttpClient, HttpError

BODY = b'{"a": 1.0,"b":"caf\\u00e9"}'
TAKEN = [
    "bad_json", "deep", "empty", "endless_chunks", "good", "gzip_bomb", "nan", "not_json", "slow_body",
    "truncated", "two_gigabytes",
]  # fmt: skip
REFUSED = {"html_500": 500, "not_found": 404, "redirect": 302, "too_busy": 429}
LOST = {
    "bad_length": FailureClass.PROTOCOL,
    "garbage": FailureClass.PROTOCOL,
    "hang": FailureClass.TIMEOUT,
    "reset": FailureClass.PROTOCOL,
    "slow_headers": FailureClass.TIMEOUT,
}


def posting(evil_server, *paths, timeout=10.0):
    """Post to each path in turn, and give the answers and the server."""

    async def scenario():
        async with evil_server() as server, HttpClient(server.url, concurrency=1) as client:
            found = []
            for path in paths:
                try:
                    found.append(
                        await client.post(f"/{path}", BODY, timeout=timeout, headers={"x-sign": "s"})
                    )
                except HttpError as error:
                    found.append(error)
            return found, server

    return asyncio.run(scenario())


@pytest.mark.parametrize("behaviour", TAKEN)
def test_a_status_is_an_answer_whatever_the_body_is(evil_server, behaviour):
    began = time.monotonic()
    (status, after), _ = posting(evil_server, behaviour, "good", timeout=30.0)
    assert (status, after) == (200, 200)
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("behaviour", ["endless_chunks", "slow_body", "two_gigabytes"])
def test_the_time_of_a_call_ends_the_reading_and_makes_no_failure_of_a_status(evil_server, behaviour):
    answers, _ = posting(evil_server, behaviour, "good", timeout=0.5)
    assert answers == [200, 200]


def test_the_glance_at_a_body_takes_no_more_than_is_left_of_the_time(evil_server):
    began = time.monotonic()
    posting(evil_server, *["slow_body"] * 4, timeout=0.1)
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(("behaviour", "status"), REFUSED.items())
def test_a_refusal_is_raised_with_its_status(evil_server, behaviour, status):
    (error, after), _ = posting(evil_server, behaviour, "good")
    assert (error.kind, error.status, after) == (FailureClass.STATUS, status, 200)


def test_a_refusal_has_what_else_it_says(evil_server):
    (busy, missing), _ = posting(evil_server, "too_busy", "not_found")
    assert (busy.retry_after, busy.retryable) == (7.0, True)
    assert missing.text_excerpt == '{"detail":"no such thing"}'


@pytest.mark.parametrize(("behaviour", "kind"), LOST.items())
def test_no_status_is_no_answer(evil_server, behaviour, kind):
    (error, after), _ = posting(evil_server, behaviour, "good", timeout=0.6)
    assert error.kind is kind
    assert after == 200


def test_the_bytes_arrive_as_they_are(evil_server):
    _, server = posting(evil_server, "good")
    ((head, body),) = server.requests
    assert body == BODY
    assert head.startswith("POST /good ")
    assert "content-type: application/json" in head.lower()
    assert "x-sign: s" in head.lower()


def test_a_kept_connection_that_was_closed_meanwhile_is_no_failure(evil_server):
    answers, server = posting(evil_server, "good", "reused/close")
    assert answers == [200, 200]
    assert server.connections == 2


def test_short_answers_share_a_connection(evil_server):
    _, server = posting(evil_server, "good", "good", "not_json", "not_found", "good")
    assert server.connections == 1


@pytest.mark.parametrize("behaviour", ["not_found", "hang", "reset"])
def test_a_client_that_shows_no_paths_names_its_base_alone(evil_server, behaviour):
    async def scenario():
        async with evil_server() as server, HttpClient(server.url, show_paths=False) as client:
            with pytest.raises(HttpError) as caught:
                await client.post(f"/{behaviour}", BODY, timeout=0.5)
            return caught.value.message, server.url

    message, url = asyncio.run(scenario())
    assert message.startswith(f"POST {url}: ")
    assert behaviour not in message
