"""A JSON client under limits: of time, of size, of connections."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Final, Self, TypeAlias

import attrs
import httpx

from gepa_framework.net.failures import FailureClass, HttpError, parse_retry_after
from gepa_framework.net.redact import Redactor, secrets_of
from gepa_framework.net.slots import Slot, SlotPool, ssl_context
from gepa_framework.net.strictjson import JSONRefused, dump_json, load_json
from gepa_framework.types import JSONObject, JSONValue

MIB: Final = 1024 * 1024
#: How much of a refusal's body is kept, in characters.
EXCERPT_CHARS: Final = 500
#: How much is shown of an answer that is no JSON, in characters.
BEGINNING_CHARS: Final = 80
#: How long the body of an answer is read whose status says all.
GLANCE_SECONDS: Final = 1.0

_EXCERPT_BYTES = 8 * EXCERPT_CHARS
_KEPT_HEADERS = ("content-type", "retry-after", "x-request-id")
_OK = range(200, 300)
_REDIRECT = range(300, 400)
_BROKEN = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError, httpx.CloseError)


@attrs.frozen
class Answer:
    """A 2xx answer.

    Attributes:
        status: The HTTP status.
        json: The body; ``None`` where it is empty.
        headers: ``content-type``, ``retry-after`` and ``x-request-id``, those that came.
    """

    status: int
    json: JSONValue = None
    headers: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen
class _Received:
    status: int
    headers: httpx.Headers
    body: bytes


_Reader: TypeAlias = Callable[[asyncio.Timeout, httpx.Request, httpx.Response], Awaitable[bytes]]
_BoundReader: TypeAlias = Callable[[httpx.Request, httpx.Response], Awaitable[bytes]]


class HttpClient:
    """Asks one server for JSON.

    No proxy, no redirect, no cookie, no compression, no credential but those in `headers`. A call ends within
    its total time whatever the server does, and keeps no more of an answer than allowed.

    Args:
        base_url: ``http`` or ``https``; paths are appended to it.
        concurrency: How many calls may be under way at once; further ones wait, and their time runs.
        headers: Sent with every call; values of those named like credentials are kept out of all texts.
        connect_timeout: Seconds to make a connection.
        read_timeout: Seconds between two pieces of an answer; by default only the total limits them.
        total_timeout: Seconds for a whole call, waiting for a free connection included.
        max_body_bytes: The largest answer accepted.
        secrets: Further texts that must not be shown.
        show_paths: Whether texts name the path and query of a call, or no more than the base URL.

    Example:
        >>> async def ask() -> Answer:
        ...     async with HttpClient("http://127.0.0.1:8080", total_timeout=5) as client:
        ...         return await client.request("GET", "/health")
    """

    def __init__(
        self,
        base_url: str,
        *,
        concurrency: int = 8,
        headers: Mapping[str, str] | None = None,
        connect_timeout: float = 5.0,
        read_timeout: float | None = None,
        total_timeout: float = 60.0,
        max_body_bytes: int = 16 * MIB,
        secrets: Iterable[str] = (),
        show_paths: bool = True,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.redact = Redactor((*secrets, *secrets_of(headers or {})))
        self.total_timeout = total_timeout
        self._show_paths = show_paths
        self._limit = max_body_bytes
        self._headers = {
            "accept": "application/json",
            "accept-encoding": "identity",
            "user-agent": "gepa-framework",
            **{name.lower(): value for name, value in (headers or {}).items()},
        }
        timeout = httpx.Timeout(connect=connect_timeout, read=read_timeout, write=read_timeout, pool=None)
        self._extensions = {"timeout": timeout.as_dict()}
        self._slots = SlotPool(concurrency, ssl_context(httpx.URL(base_url).scheme))

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: JSONValue = None,
        timeout: float | None = None,  # noqa: ASYNC109 - part of the contract: see the class
        idempotent: bool | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make one call.

        Args:
            method: The HTTP method.
            path: Appended to the base URL; must be quoted already.
            json: The body; ``None`` for none.
            timeout: Seconds for this call in place of the client's own total.
            idempotent: Whether the call may be sent again, once, when a kept connection turns out to have
                been closed meanwhile. By default only a GET may.
            headers: Further headers for this call.

        Returns:
            The answer; its status is 2xx.

        Raises:
            HttpError: Anything else; the texts in it are free of secrets.
            ValueError, TypeError: `json` is not JSON.
        """
        content = None if json is None else dump_json(json)
        request = self._build(method, path, content, headers or {})
        again = method == "GET" if idempotent is None else idempotent
        return self._answer(request, await self._in_time(request, timeout, self._read, again=again))

    async def post(
        self,
        path: str,
        content: bytes,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
        headers: Mapping[str, str] | None = None,
    ) -> int:
        """Hand over JSON byte for byte, to one whose status is all that matters of the answer.

        A body that is endless, slow, broken or no JSON does no harm: a glance is taken at its beginning. What
        is posted must bear to be posted twice: it is when a kept connection turns out to have been closed.

        Args:
            path: Appended to the base URL; must be quoted already.
            content: The body.
            timeout: Seconds for this call in place of the client's own total.
            headers: Further headers for this call.

        Returns:
            The status; it is 2xx.

        Raises:
            HttpError: Anything else; the texts in it are free of secrets.
        """
        request = self._build("POST", path, content, headers or {})
        received = await self._in_time(request, timeout, _glance, again=True)
        if received.status not in _OK:
            raise self._refusal(request, received)
        return received.status

    async def aclose(self) -> None:
        """Close the connections."""
        await self._slots.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _build(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]
    ) -> httpx.Request:
        kind = {} if content is None else {"content-type": "application/json"}
        return httpx.Request(
            method,
            _url(self.base_url + path),
            headers={**self._headers, **kind, **headers},
            content=content,
            extensions=self._extensions,
        )

    async def _in_time(
        self, request: httpx.Request, seconds: float | None, read: _Reader, *, again: bool
    ) -> _Received:
        seconds = self.total_timeout if seconds is None else seconds
        try:
            async with asyncio.timeout(seconds) as limit:
                return await self._send(request, functools.partial(read, limit), again=again)
        except TimeoutError:
            raise self._error(
                FailureClass.TIMEOUT, request, f"no whole answer within {seconds:g} s"
            ) from None

    async def _send(self, request: httpx.Request, read: _BoundReader, *, again: bool) -> _Received:
        try:
            return await self._exchange(request, read, stale_matters=again)
        except _StaleConnectionError:
            return await self._exchange(request, read, stale_matters=False)

    async def _exchange(
        self, request: httpx.Request, read: _BoundReader, *, stale_matters: bool
    ) -> _Received:
        async with self._slots.slot() as slot:
            response = await self._begin(slot, request, stale_matters=stale_matters)
            try:
                body = await read(request, response)
            finally:
                await response.aclose()
            slot.served = True
            return _Received(response.status_code, response.headers, body)

    async def _begin(self, slot: Slot, request: httpx.Request, *, stale_matters: bool) -> httpx.Response:
        try:
            return await slot.transport.handle_async_request(request)
        except _BROKEN as error:
            if stale_matters and slot.served:
                raise _StaleConnectionError from None
            raise self._error(*_explain(error, request)) from None
        except (httpx.HTTPError, OSError) as error:
            raise self._error(*_explain(error, request)) from None

    async def _read(self, _: asyncio.Timeout, request: httpx.Request, response: httpx.Response) -> bytes:
        coding = response.headers.get("content-encoding", "identity").strip().lower()
        if coding != "identity":
            raise self._error(
                FailureClass.PROTOCOL,
                request,
                f"the body is encoded as {coding!r:.40}, which was not asked for",
            )
        declared = response.headers.get("content-length", "0")
        if declared.isdigit() and int(declared[:20]) > self._limit:
            raise self._too_large(request)
        try:
            return await self._collect(request, response)
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            raise self._error(*_explain(error, request)) from None

    async def _collect(self, request: httpx.Request, response: httpx.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_raw():
            size += len(part)
            if size > self._limit:
                raise self._too_large(request)
            parts.append(part)
        return b"".join(parts)

    def _answer(self, request: httpx.Request, received: _Received) -> Answer:
        if received.status not in _OK:
            raise self._refusal(request, received)
        try:
            json = load_json(received.body) if received.body else None
        except JSONRefused as error:
            what = f"the body is refused: {error}; it begins {self._excerpt(received)[:BEGINNING_CHARS]!r}"
            raise self._error(FailureClass.NOT_JSON, request, what) from None
        kept = {name: received.headers[name] for name in _KEPT_HEADERS if name in received.headers}
        return Answer(status=received.status, json=json, headers=kept)

    def _refusal(self, request: httpx.Request, received: _Received) -> HttpError:
        excerpt = self._excerpt(received)
        what = f"status {received.status}"
        if received.status in _REDIRECT:
            what += ", a redirect, which is not followed"
        return HttpError(
            FailureClass.STATUS,
            self._words(request, f"{what}: {excerpt}" if excerpt else what),
            status=received.status,
            retry_after=parse_retry_after(received.headers.get("retry-after")),
            json=_json_or_none(self.redact(received.body.decode("utf-8", "replace"))),
            text_excerpt=excerpt,
        )

    def _excerpt(self, received: _Received) -> str:
        return self.redact(received.body[:_EXCERPT_BYTES].decode("utf-8", "replace"))[:EXCERPT_CHARS]

    def _too_large(self, request: httpx.Request) -> HttpError:
        return self._error(FailureClass.TOO_LARGE, request, f"the body is larger than {self._limit} bytes")

    def _error(self, kind: FailureClass, request: httpx.Request, what: str) -> HttpError:
        return HttpError(kind, self._words(request, what))

    def _words(self, request: httpx.Request, what: str) -> str:
        # Left out and not masked: httpx may spell an address in another way than whoever gave it.
        where = request.url if self._show_paths else self.base_url
        return self.redact(f"{request.method} {where}: {what}")


class _StaleConnectionError(Exception):
    """A kept connection was found closed before any byte of an answer came."""


async def _glance(limit: asyncio.Timeout, _: httpx.Request, response: httpx.Response) -> bytes:
    """Read the beginning of a body; one that is short comes whole, and its connection can be kept.

    The status is known, so the end of the call's time ends the reading and makes no failure of it.
    """
    until = asyncio.get_running_loop().time() + GLANCE_SECONDS
    if (end := limit.when()) is not None and not limit.expired():
        until = min(until, end)
        limit.reschedule(end + GLANCE_SECONDS)  # for the closing of the connection
    seen = bytearray()
    with suppress(TimeoutError, httpx.HTTPError, httpx.StreamError, OSError):
        async with asyncio.timeout_at(until):
            async for part in response.aiter_raw():
                seen += part
                if len(seen) > _EXCERPT_BYTES:
                    break
    return bytes(seen)


@functools.lru_cache(maxsize=256)
def _url(text: str) -> httpx.URL:
    return httpx.URL(text)


def _json_or_none(text: str) -> JSONObject | None:
    try:
        value = load_json(text.encode())
    except JSONRefused:
        return None
    return value if isinstance(value, Mapping) else None


def _explain(error: Exception, request: httpx.Request) -> tuple[FailureClass, httpx.Request, str]:
    words = str(error) or type(error).__name__
    if isinstance(error, httpx.ConnectTimeout):
        return FailureClass.CONNECT, request, "no connection in time"
    if isinstance(error, httpx.TimeoutException):
        return FailureClass.TIMEOUT, request, "nothing came for too long"
    if isinstance(error, httpx.ConnectError):
        return FailureClass.CONNECT, request, f"cannot connect: {words}"
    return FailureClass.PROTOCOL, request, f"the connection broke: {words}"
