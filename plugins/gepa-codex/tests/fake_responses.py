"""A model provider that speaks the OpenAI Responses API over SSE, on loopback, and says what it is told.

Run it inside a test::

    async with FakeResponses() as provider:
        provider.queue.append({"http": 500})
        ...  # POST {provider.url}/responses

or on its own: ``python fake_responses.py [PORT]``. Each request is answered by the first of

1. the next step in ``queue``;
2. the step that the prompt names, as ``fake({...})``; the last such mark counts;
3. ``default``, a step.

A step is a mapping; what it may hold::

    {}                          an answer that fits the JSON schema of the request
    {"json": value}             the value as JSON         {"text": "..."}    the text as it is
    {"http": 429, "body": {}}   an HTTP error             {"failed": "code"} a `response.failed`
    {"incomplete": "reason"}    a `response.incomplete`   {"drop": true}     the stream is cut in the answer
    {"hang": "before"|"after"}  silence before or after the headers, until the client goes
    {"delay": 0.2}              seconds before anything   {"usage": {...}}   replaces the usage; null for none
    {"model": "other"}          the response's headers say that this model has answered
    {"together": 8}             no answer before so many requests were open at once, for 30 s at most
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from collections import deque
from typing import Any, Self

USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 40},
    "output_tokens": 20,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 120,
}
_MARK = re.compile(r"fake\((\{.*?\})\)")


class FakeResponses:
    """The server. ``requests`` keeps what was asked, ``in_flight`` and ``peak`` how much at once."""

    def __init__(self, default: dict[str, Any] | None = None) -> None:
        self.default: dict[str, Any] = default or {}
        self.queue: deque[dict[str, Any]] = deque()
        self.requests: list[dict[str, Any]] = []
        self.in_flight = self.peak = 0
        self.asked = asyncio.Event()
        self._crowd = asyncio.Condition()
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> Self:
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", port, limit=64 << 20)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while (request := await _read_request(reader)) is not None:
                if not await self._answer(request, reader, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(task)
            writer.transport.abort() if task.cancelled() else writer.close()

    async def _answer(
        self, request: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        self.requests.append(request)
        self.asked.set()
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        async with self._crowd:
            self._crowd.notify_all()
        try:
            return await self._carry_out(self._step(request["body"]), request["body"], reader, writer)
        finally:
            self.in_flight -= 1

    def _step(self, body: dict[str, Any]) -> dict[str, Any]:
        if self.queue:
            return self.queue.popleft()
        marks = _MARK.findall(prompt_of(body))
        # Inside of JSON, as evidence is shown, the quotes of a mark are escaped.
        return json.loads(marks[-1].replace('\\"', '"')) if marks else self.default

    async def _carry_out(
        self,
        step: dict[str, Any],
        body: dict[str, Any],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        await asyncio.sleep(step.get("delay", 0))
        async with asyncio.timeout(30), self._crowd:
            await self._crowd.wait_for(lambda: self.peak >= step.get("together", 0))
        if step.get("hang") == "before":
            await reader.read()
            return False
        if "http" in step:
            await _send_json(writer, step["http"], step.get("body", {"error": {"message": "scripted"}}))
            return True
        await _begin_stream(writer, step.get("model"))
        if step.get("hang") == "after":
            await reader.read()
            return False
        for event in events(step, body):
            data = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
            writer.write(b"%x\r\n%s\r\n" % (len(data), data))
        if not step.get("drop"):
            writer.write(b"0\r\n\r\n")
        await writer.drain()
        return not step.get("drop")


def events(step: dict[str, Any], body: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the events of an answer."""
    response = {"id": "resp_1", "object": "response", "model": body.get("model"), "output": []}
    found: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**response, "status": "in_progress"}}
    ]
    if "failed" in step:
        error = {"code": step["failed"], "message": "scripted failure"}
        return [
            *found,
            {"type": "response.failed", "response": {**response, "status": "failed", "error": error}},
        ]
    if "incomplete" in step:
        details = {"reason": step["incomplete"]}
        end = {**response, "status": "incomplete", "incomplete_details": details}
        return [*found, {"type": "response.incomplete", "response": end}]
    text = _text(step, body)
    item = {"type": "message", "id": "msg_1", "role": "assistant", "phase": "final_answer"}
    done = {
        **item,
        "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }
    place = {"output_index": 0, "item_id": "msg_1", "content_index": 0}
    found.append({"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}})
    found.append({"type": "response.output_text.delta", **place, "delta": text[: len(text) // 2]})
    if step.get("drop"):
        return found
    found.append({"type": "response.output_text.delta", **place, "delta": text[len(text) // 2 :]})
    found.append({"type": "response.output_item.done", "output_index": 0, "item": done})
    end = {**response, "status": "completed", "output": [done], "usage": step.get("usage", USAGE)}
    return [*found, {"type": "response.completed", "response": end}]


def _text(step: dict[str, Any], body: dict[str, Any]) -> str:
    if "text" in step:
        return str(step["text"])
    if "json" in step:
        return json.dumps(step["json"])
    schema = (body.get("text") or {}).get("format", {}).get("schema")
    return json.dumps(sample(schema, "answer")) if schema else "answer"


def sample(schema: dict[str, Any], name: str) -> Any:
    """Give a value that fits a strict schema: every string says what it is the new text of."""
    if schema.get("type") == "array":
        return []
    if schema.get("type") == "object":
        return {key: sample(value, key) for key, value in schema.get("properties", {}).items()}
    return f"new {name}"


def prompt_of(body: dict[str, Any]) -> str:
    """Give all text of the request's user messages."""
    parts = [
        part.get("text", "")
        for item in body.get("input", [])
        if item.get("role") == "user"
        for part in item.get("content", [])
    ]
    return "\n".join(parts)


async def _read_request(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    line = await reader.readline()
    if not line:
        return None
    headers: dict[str, str] = {}
    while header := (await reader.readline()).decode("latin-1").strip():
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    raw = await reader.readexactly(int(headers.get("content-length", "0")))
    method, path, _ = line.decode("latin-1").split(" ", 2)
    return {"method": method, "path": path, "headers": headers, "body": json.loads(raw or b"{}")}


async def _send_json(writer: asyncio.StreamWriter, status: int, body: object) -> None:
    raw = json.dumps(body).encode()
    head = (
        f"HTTP/1.1 {status} Scripted\r\ncontent-type: application/json\r\ncontent-length: {len(raw)}\r\n\r\n"
    )
    writer.write(head.encode() + raw)
    await writer.drain()


async def _begin_stream(writer: asyncio.StreamWriter, model: str | None) -> None:
    named = f"openai-model: {model}\r\n" if model else ""
    head = f"content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n{named}\r\n"
    writer.write(f"HTTP/1.1 200 OK\r\n{head}".encode())
    await writer.drain()


async def _serve(port: int) -> None:
    provider = await FakeResponses().start(port)
    print(provider.url, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
