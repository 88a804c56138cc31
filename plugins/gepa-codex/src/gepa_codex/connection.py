"""Speaks to the app-server: one JSON object a line, requests answered in any order."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

from gepa_codex.failures import CodexError, ServerGoneError, Verdict, request_failure
from gepa_codex.refusals import refusal

#: Longest line that is read. Codex repeats its input, so lines of some MiB are common.
LINE_LIMIT: Final = 64 * 1024 * 1024


class RequestTimeoutError(CodexError):
    """A request was not answered in time: the server cannot be trusted any longer."""

    def __init__(self, method: str, seconds: float) -> None:
        super().__init__(
            f"codex did not answer {method} within {seconds:g} s",
            Verdict.RETRY,
            hint="raise proposer.request_timeout_seconds if the machine is slow",
        )


class Subscriber(Protocol):
    """Hears what concerns one conversation."""

    def on_message(self, method: str, params: Mapping[str, Any]) -> None:
        """Take one notification."""
        ...

    def on_gone(self, error: ServerGoneError) -> None:
        """Learn that there will be no more."""
        ...


class Connection:
    """The client's side of one app-server's stdin and stdout.

    Args:
        reader: The server's stdout.
        writer: The server's stdin.
        on_garbage: Is given each line that is no message.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, on_garbage: Callable[[str], None]
    ) -> None:
        self._reader, self._writer, self._on_garbage = reader, writer, on_garbage
        self._ids = itertools.count(1)
        self._pending: dict[int, asyncio.Future[Any]] = {}
        self._subscribers: dict[str, Subscriber] = {}
        self._gone = ""

    async def request(self, method: str, params: Mapping[str, Any], timeout: float) -> Mapping[str, Any]:  # noqa: ASYNC109 - each request has its own bound
        """Send a request and give its result.

        Raises:
            RequestTimeoutError: There was no answer in time.
            ServerGoneError: The server ended first.
            CodexError: The server refused the request.
        """
        self._check()
        number = next(self._ids)
        answer = self._pending[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout):
                await self.send({"id": number, "method": method, "params": params})
                reply = await answer
        except TimeoutError:
            raise RequestTimeoutError(method, timeout) from None
        finally:
            self._pending.pop(number, None)
        if "error" in reply:
            raise request_failure(method, _table(reply["error"]))
        return _table(reply.get("result"))

    async def send(self, message: Mapping[str, Any]) -> None:
        """Write one message. That the server is gone shows when its output ends, not here."""
        with contextlib.suppress(ConnectionError):
            self._writer.write(json.dumps(message).encode() + b"\n")
            await self._writer.drain()

    @contextlib.contextmanager
    def subscribed(self, thread_id: str, subscriber: Subscriber) -> Iterator[None]:
        """Let the subscriber hear a conversation while the block runs.

        Raises:
            ServerGoneError: There will be nothing to hear.
        """
        self._check()
        self._subscribers[thread_id] = subscriber
        try:
            yield
        finally:
            self._subscribers.pop(thread_id, None)

    async def read(self) -> str:
        """Read until the server's output ends; give the reason."""
        try:
            while line := await self._reader.readline():
                await self._receive(line)
        except ValueError:
            return f"sent a line of more than {LINE_LIMIT >> 20} MiB"
        except ConnectionError as error:
            return f"broke the pipe ({error.strerror})"
        return "ended"

    async def _receive(self, line: bytes) -> None:
        message = _decode(line)
        if message is None:
            self._on_garbage(line[:500].decode("utf-8", "replace").rstrip())
        elif "method" not in message:
            self._resolve(message)
        elif "id" in message:
            await self.send(refusal(message["id"], str(message["method"])))
        else:
            params = _table(message.get("params"))
            subscriber = self._subscribers.get(str(params.get("threadId")))
            if subscriber is not None:
                subscriber.on_message(str(message["method"]), params)

    def _resolve(self, message: Mapping[str, Any]) -> None:
        number = message.get("id")
        answer = self._pending.get(number) if isinstance(number, int) else None
        if answer is not None and not answer.done():
            answer.set_result(message)

    def _check(self) -> None:
        if self._gone:
            raise ServerGoneError(self._gone)

    def end(self, reason: str) -> None:
        """Tell everyone who waits that the server is gone, and why."""
        self._gone = reason
        for answer in self._pending.values():
            if not answer.done():
                answer.set_exception(ServerGoneError(reason))
        for subscriber in tuple(self._subscribers.values()):
            subscriber.on_gone(ServerGoneError(reason))


def _decode(line: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) and ("method" in message or "id" in message) else None


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
