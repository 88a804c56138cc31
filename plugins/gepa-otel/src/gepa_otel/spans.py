"""Spans as the listener makes them, before anything of OpenTelemetry is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import attrs

from gepa_otel.values import Attributes


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
        url: The whole address for traces.
        headers: Sent with each request; may hold secrets.
        timeout_seconds: How long one batch may take, all attempts together.
    """

    url: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    timeout_seconds: float

    @property
    def shown(self) -> str:
        """The address as messages have it, without what may be a key."""
        return self.url.partition("?")[0]


class Sink(Protocol):
    """Where spans go."""

    def send(self, span: Span) -> None:
        """Take a span on; never waits."""
        ...

    def close(self) -> None:
        """Send what waits, within a bounded time."""
        ...
