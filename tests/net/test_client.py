from __future__ import annotations

import asyncio
import socket
import time
import tracemalloc

import pytest

from gepa_framework.errors import TransportError
from gepa_framework.net import FailureClass, HttpClient, HttpError

CAP = 64 * 1024
DEADLINE = 0.6

HOSTILE = {
    "bad_length": FailureClass.PROTOCOL,
    "deep": FailureClass.TOO_LARGE,
    "deep_but_parsed": FailureClass.NOT_JSON,
    "endless_chunks": FailureClass.TOO_LARGE,
    "garbage": FailureClass.PROTOCOL,
    "giant_headers": FailureClass.PROTOCOL,
    "gzip_bomb": FailureClass.PROTOCOL,
    "hang": FailureClass.TIMEOUT,
    "html_500": FailureClass.STATUS,
    "huge_exponent": FailureClass.NOT_JSON,
    "huge_int": FailureClass.NOT_JSON,
    "infinity": FailureClass.NOT_JSON,
    "nan": FailureClass.NOT_JSON,
    "not_found": FailureClass.STATUS,
    "not_json": FailureClass.NOT_JSON,
    "not_utf8": FailureClass.NOT_JSON,
    "redirect": FailureClass.STATUS,
    "reset": FailureClass.PROTOCOL,
    "silent_close": FailureClass.PROTOCOL,
    "slow_body": FailureClass.TIMEOUT,
    "slow_headers": FailureClass.TIMEOUT,
    "too_busy": FailureClass.STATUS,
    "truncated": FailureClass.PROTOCOL,
    "two_gigabytes": FailureClass.TOO_LARGE,
}


def client_of(server, **options):
    return HttpClient(
        server.url, **{"concurrency": 1, "total_timeout": DEADLINE, "max_body_bytes": CAP, **options}
    )


async def failure_of(client, path, **options):
    with pytest.raises(HttpError) as caught:
        await client.request("POST", path, json={"a": 1}, **options)
    return caught.value


@pytest.mark.parametrize(("behaviour", "kind"), HOSTILE.items())
def test_a_hostile_answer_ends_in_time_with_a_typed_failure_and_harms_nothing_else(
    evil_server, behaviour, kind
):
    async def scenario():
        async with evil_server() as server, client_of(server) as client:
            started = time.monotonic()
            error = await failure_of(client, f"/{behaviour}")
            assert time.monotonic() - started < DEADLINE + 1
            assert error.kind is kind
            assert f"POST {server.url}/{behaviour}: " in str(error)
            good = await client.request("GET", "/good", timeout=5)
            assert good.json == {"ok": True}

    asyncio.run(scenario())


@pytest.mark.parametrize("behaviour", ["endless_chunks", "two_gigabytes", "giant_headers", "gzip_bomb"])
def test_an_endless_answer_takes_no_more_memory_than_the_limit_allows(evil_server, behaviour):
    async def scenario():
        async with evil_server() as server, client_of(server, max_body_bytes=1024 * 1024) as client:
            await client.request("GET", "/good")
            tracemalloc.start()
            try:
                await failure_of(client, f"/{behaviour}", timeout=5)
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    assert asyncio.run(scenario()) < 4 * 1024 * 1024


def test_a_deep_answer_within_the_size_limit_is_refused_with_words(evil_server):
    async def scenario():
        async with evil_server() as server, client_of(server, max_body_bytes=1 << 20) as client:
            error = await failure_of(client, "/deep", timeout=5)
            assert error.kind is FailureClass.NOT_JSON
            assert "nested deeper than 100 levels" in str(error)

    asyncio.run(scenario())


@pytest.mark.parametrize("page", ["not_json", "not_utf8", "deep"])
def test_an_answer_that_is_no_json_is_shown_in_part(evil_server, page):
    async def scenario():
        async with evil_server() as server, client_of(server, max_body_bytes=1 << 20) as client:
            error = await failure_of(client, f"/{page}", timeout=5)
            words, _, beginning = str(error).partition("; it begins ")
            assert f"/{page}: the body is refused: " in words
            assert 3 < len(beginning) < 100
            assert isinstance(error, TransportError)
            assert error.error_code == "gepa_transport_error"

    asyncio.run(scenario())


def test_an_answer_gives_status_body_and_the_headers_that_matter(evil_server):
    async def scenario():
        async with evil_server() as server, client_of(server) as client:
            answer = await client.request("GET", "/good")
            assert (answer.status, answer.json) == (200, {"ok": True})
            assert answer.headers == {"content-type": "application/json"}
            assert (await client.request("GET", "/empty")).json is None

    asyncio.run(scenario())


def test_a_request_asks_for_plain_json_and_remembers_no_cookie(evil_server):
    async def scenario():
        async with evil_server() as server, client_of(server, headers={"X-Mine": "1"}) as client:
            await client.request("GET", "/good")
            await client.request("POST", "/good", json={"text": "\ud800é"}, headers={"x-once": "2"})
            head, body = server.requests[1]
            assert body == b'{"text":"\\ud800\\u00e9"}'
            for line in (
                "accept-encoding: identity",
                "content-type: application/json",
                "x-mine: 1",
                "x-once: 2",
            ):
                assert line in head.lower().split("\r\n")
            assert "cookie" not in head.lower()

    asyncio.run(scenario())


def test_proxies_of_the_environment_are_not_used(evil_server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    async def scenario():
        async with evil_server() as server, client_of(server) as client:
            assert (await client.request("GET", "/good")).json == {"ok": True}

    asyncio.run(scenario())


def test_a_port_on_which_nobody_listens_is_a_connection_failure():
    async def scenario():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{probe.getsockname()[1]}"
        async with HttpClient(address) as client:
            error = await failure_of(client, "/")
            assert error.kind is FailureClass.CONNECT
            assert error.retryable
            assert isinstance(error, TransportError)

    asyncio.run(scenario())


def test_a_silence_longer_than_the_read_timeout_ends_the_call(evil_server):
    async def scenario():
        async with evil_server() as server, client_of(server, read_timeout=0.1, total_timeout=30) as client:
            assert (await failure_of(client, "/hang")).kind is FailureClass.TIMEOUT

    asyncio.run(scenario())


def test_a_refusal_tells_status_body_and_how_long_to_wait(evil_server):
    async def scenario():
        async with evil_server() as server, client_of(server) as client:
            busy = await failure_of(client, "/too_busy")
            assert (busy.status, busy.retry_after, busy.retryable) == (429, 7.0, True)
            missing = await failure_of(client, "/not_found")
            assert (missing.status, missing.retryable) == (404, False)
            assert missing.json == {"detail": "no such thing"}
            broken = await failure_of(client, "/html_500")
            assert (broken.retryable, broken.json, broken.text_excerpt) == (True, None, "<h1>boom</h1>")
            moved = await failure_of(client, "/redirect")
            assert "not followed" in str(moved)
            assert not moved.retryable

    asyncio.run(scenario())


def test_secrets_that_a_server_echoes_are_kept_out_of_the_failure(evil_server):
    async def scenario():
        headers = {"authorization": "Bearer canary-one-123"}
        async with (
            evil_server() as server,
            client_of(server, headers=headers, secrets=("canary-two",)) as client,
        ):
            error = await failure_of(client, "/echo", headers={"x-other": "canary-two"})
            shown = f"{error} {error.text_excerpt} {error.json}"
            assert "canary" not in shown
            assert "[redacted]" in shown
            assert any("canary-one-123" in head for head, _ in server.requests)

    asyncio.run(scenario())


def test_no_more_connections_are_open_than_allowed(evil_server):
    async def scenario():
        async with evil_server() as server, client_of(server, concurrency=3, total_timeout=10) as client:
            await asyncio.gather(*(client.request("GET", "/good") for _ in range(50)))
            assert len(server.requests) == 50
            assert server.most_open <= 3
            assert server.connections <= 3

    asyncio.run(scenario())


def test_waiting_for_a_free_connection_counts_against_the_deadline(evil_server):
    async def scenario():
        async with evil_server() as server, client_of(server) as client:
            results = await asyncio.gather(
                *(client.request("GET", "/hang", timeout=0.2) for _ in range(5)), return_exceptions=True
            )
            assert [error.kind for error in results] == [FailureClass.TIMEOUT] * 5

    started = time.monotonic()
    asyncio.run(scenario())
    assert time.monotonic() - started < 2


def test_cancelling_gives_the_connection_back_and_closes_it(evil_server):
    async def scenario():
        async with evil_server() as server, client_of(server, total_timeout=30) as client:
            tasks = [asyncio.create_task(client.request("GET", "/hang")) for _ in range(3)]
            await server.asked.wait()
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(result, asyncio.CancelledError) for result in results)
            assert (await client.request("GET", "/good")).status == 200
            assert server.connections == 2

    asyncio.run(scenario())


def test_a_connection_that_went_stale_is_replaced_once_for_an_idempotent_call(evil_server):
    async def scenario():
        async with evil_server() as server, client_of(server) as client:
            await client.request("GET", "/good")
            answer = await client.request("POST", "/reused/close", json=1, idempotent=True)
            assert answer.status == 200
            assert len(server.requests) == 3
            assert server.connections == 2

    asyncio.run(scenario())


def test_a_call_that_is_not_idempotent_is_never_sent_twice(evil_server):
    async def scenario():
        async with evil_server() as server, client_of(server) as client:
            await client.request("GET", "/good")
            assert (await failure_of(client, "/reused/close")).kind is FailureClass.PROTOCOL
            assert len(server.requests) == 2

    asyncio.run(scenario())


def test_a_fresh_connection_that_breaks_is_not_tried_again(evil_server):
    async def scenario():
        async with evil_server() as server, client_of(server) as client:
            assert (await failure_of(client, "/silent_close", idempotent=True)).kind is FailureClass.PROTOCOL
            assert len(server.requests) == 1

    asyncio.run(scenario())


def test_what_is_not_json_is_not_sent(evil_server):
    async def scenario():
        async with evil_server() as server, client_of(server) as client:
            with pytest.raises(ValueError, match="Out of range"):
                await client.request("POST", "/good", json={"a": float("nan")})
            with pytest.raises(TypeError, match="set is not JSON"):
                await client.request("POST", "/good", json={"a": {1}})
            assert server.requests == []

    asyncio.run(scenario())
