"""A bounded set of single connections.

httpx's own pool looks at every connection for every request, so it collapses at a few hundred of them. Here
each connection is a transport of its own; the last one used is the first to be used again, which keeps few
connections warm instead of many stale.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import httpx

#: Servers commonly drop an idle connection after five seconds; we let go of it before they do.
KEEPALIVE_SECONDS = 3.0

_ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEPALIVE_SECONDS)


@attrs.define(eq=False)
class Slot:
    """One connection, open or not.

    Attributes:
        transport: The connection.
        served: It has carried an answer before, so it may have gone stale since.
    """

    transport: httpx.AsyncHTTPTransport
    served: bool = False


def ssl_context(scheme: str) -> ssl.SSLContext:
    """Give the context that all connections of a client share: building one takes 100 ms."""
    if scheme == "https":
        return httpx.create_ssl_context()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class SlotPool:
    """At most `size` connections to one server.

    Args:
        size: How many may be in use at once.
        context: What TLS connections are made with.
    """

    def __init__(self, size: int, context: ssl.SSLContext) -> None:
        self._gate = asyncio.Semaphore(size)
        self._context = context
        self._idle: list[Slot] = []
        self._closed = False

    def _take(self) -> Slot:
        if self._idle:
            return self._idle.pop()
        return Slot(httpx.AsyncHTTPTransport(verify=self._context, trust_env=False, limits=_ONE))

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Slot]:
        """Lend a connection; one in whose use anything went wrong is closed, not lent again."""
        async with self._gate:
            slot = self._take()
            try:
                yield slot
            except BaseException:
                await slot.transport.aclose()
                raise
            if self._closed:
                await slot.transport.aclose()
            else:
                self._idle.append(slot)

    async def aclose(self) -> None:
        """Close every idle connection, and the others when they are given back."""
        self._closed = True
        idle, self._idle = self._idle, []
        for slot in idle:
            await slot.transport.aclose()
