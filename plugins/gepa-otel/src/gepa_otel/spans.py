"""Spans as the listener makes them, before anything of OpenTelemetry is needed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, Protocol
from urllib.parse import unquote

import attrs

from gepa_otel.values import Attributes

#: Up to the last "@": a password may hold a "/" that should have been written otherwise.
_USER: Final = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)?(?P<user>.*)@", re.IGNORECASE | re.DOTALL)


@attrs.frozen
class Note:
    """Something that happened within a span, at a time in nanoseconds since 1970."""

    name: str
    at_ns: int
    attributes: Attributes


@attrs.frozen
class Span:
    """A span that is over.

    Attributes:
        name: Its own among the spans of the run; its id follows from it.
        title: What it is called, the same for all of its sort.
        parent: Name of the span that it is in; none for that of the run.
        began_ns: Nanoseconds since 1970.
        ended_ns: The same; not before it began.
        attributes: What is told of it.
        notes: What happened within.
        error: What went wrong; empty where nothing did.
        outside: Whether somebody else was asked.
    """

    name: str
    title: str
    parent: str | None
    began_ns: int
    ended_ns: int
    attributes: Attributes
    notes: Sequence[Note] = ()
    error: str = ""
    outside: bool = False


@attrs.frozen
class Address:
    """Where a collector is, and how it is spoken to.

    Attributes:
        url: The whole address for traces; may hold secrets.
        headers: Sent with each request; may hold secrets.
        timeout_seconds: How long one batch may take, all attempts together.
    """

    url: str = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(repr=False)
    timeout_seconds: float

    @property
    def shown(self) -> str:
        """The address as messages have it, without what may be a key."""
        bare = _USER.sub(lambda found: found["scheme"] or "", self.url.partition("?")[0], count=1)
        return bare.partition("#")[0]

    @property
    def secrets(self) -> tuple[str, ...]:
        """What messages of others may quote and nobody is to read."""
        place, _, query = self.url.partition("?")
        found = _USER.match(place)
        user = found["user"] if found else ""
        password = user.partition(":")[2]
        # Who takes a "/" in them for the end of the host quotes what is before it.
        parts = (part for text in (user, password) for part in re.split("[/#]", text))
        return (*self.headers.values(), user, password, unquote(password), *parts, query)


class Sink(Protocol):
    """Where spans go."""

    def send(self, span: Span) -> None:
        """Take a span on; never waits."""
        ...

    def close(self) -> None:
        """Send what waits, within a bounded time."""
        ...
