"""Keys of a ``[[listeners]]`` entry with ``use = "webhook"``."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import attrs

from gepa_framework.builtin.fields import finite
from gepa_framework.config.checks import environment_name
from gepa_framework.types import EVENT_TYPES

#: What an operator wants to hear of without asking: how the run goes, and what has come of it.
DEFAULT_EVENTS: Final = (
    "gepa.run.*",
    "gepa.stop",
    "candidate.accepted",
    "heldout.verdict",
    "deployment.decided",
)

_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9a-fA-F:.]+")
_PATH = re.compile(r"[!-~]*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
#: Headers that are not another's to set.
_OURS = re.compile(r"webhook-.*|content-.*|host|connection|transfer-encoding|accept-encoding", re.IGNORECASE)


def _address(instance: WebhookConfig, _: object, value: str) -> None:
    parts = _parts(value)
    if parts is None:
        # What is wrong with it may be a password at the wrong place; it is not repeated.
        raise ValueError("must look like https://host/path")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or password; name their environment variable in headers_env")
    if parts.fragment:
        raise ValueError("must not have a #fragment: no server is told of it")
    if parts.scheme == "http" and not instance.allow_http and not _is_loopback(parts.hostname or ""):
        raise ValueError(
            "must be https: over http anybody on the way reads what a run tells; "
            "set allow_http = true if that is no matter, as within a private network"
        )


def _parts(value: str) -> SplitResult | None:
    """Give the parts of an address; ``None`` where it is none."""
    try:
        parts = urlsplit(value)
        known = parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:
        return None
    whole = _HOST.fullmatch(parts.hostname or "") and _PATH.fullmatch(value)
    return parts if known and whole else None


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _patterns(_: object, __: object, value: tuple[str, ...]) -> None:
    if not value:
        raise ValueError("must contain at least one pattern")
    if idle := [each for each in value if not any(fnmatchcase(name, each) for name in EVENT_TYPES)]:
        raise ValueError(f"matches no type of event: {', '.join(map(repr, idle))}")


def _header(_: object, __: object, value: str) -> None:
    if not _HEADER.fullmatch(value) or _OURS.fullmatch(value):
        raise ValueError(f"cannot set the header {value!r}")


@attrs.frozen
class WebhookConfig:
    """Keys of a ``[[listeners]]`` entry with ``use = "webhook"``."""

    url: str = attrs.field(
        validator=_address,
        metadata={
            "help": "Where events are posted: https, or http on this machine. No secret may stand in it."
        },
    )
    secret_env: str = attrs.field(
        validator=environment_name,
        metadata={
            "help": "Environment variable with the signing secret, whsec_ and base64 of 24 to 64 bytes; "
            "several with a space between them sign each."
        },
    )
    events: tuple[str, ...] = attrs.field(
        default=DEFAULT_EVENTS,
        validator=_patterns,
        metadata={"help": "Types of the events that are posted, such as candidate.accepted or candidate.*."},
    )
    headers_env: Mapping[str, str] = attrs.field(
        factory=dict,
        validator=attrs.validators.deep_mapping(_header, environment_name),
        hash=False,
        metadata={"help": "Further headers, each with the environment variable that holds its value."},
    )
    allow_http: bool = attrs.field(
        default=False,
        metadata={"help": "Whether an address on another machine may be http."},
    )
    timeout_seconds: float = attrs.field(
        default=10.0,
        validator=[attrs.validators.gt(0), finite],
        metadata={"help": "How long the receiver may take to answer one attempt."},
    )
    max_attempts: int = attrs.field(
        default=8,
        validator=attrs.validators.gt(0),
        metadata={"help": "How often one event is tried before it is given up."},
    )
    max_queue: int = attrs.field(
        default=1000,
        validator=attrs.validators.gt(0),
        metadata={"help": "Events that may wait; the oldest is dropped for one more."},
    )
    close_seconds: float = attrs.field(
        default=5.0,
        validator=[attrs.validators.ge(0), finite],
        metadata={"help": "How long the end of the run waits for what is not delivered yet."},
    )

    @property
    def origin(self) -> str:
        """The address as messages have it: without path and query."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def target(self) -> str:
        """Path and query of the address."""
        parts = urlsplit(self.url)
        return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"

    @property
    def private(self) -> tuple[str, ...]:
        """Path and query, whole and in parts: many a receiver takes whoever knows them for entitled."""
        parts = urlsplit(self.url)
        steps = (*parts.path.split("/"), *unquote(parts.path).split("/"))
        values = (value for _, value in parse_qsl(parts.query))
        return (self.target, parts.path, parts.query, *steps, *values)

    @property
    def digest(self) -> str:
        """What tells this webhook from another, which owes nothing of what this one does.

        Of secrets it knows the names of their variables, and no value.
        """
        told = (self.url, self.events, self.secret_env, sorted(self.headers_env.items()))
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:8]

    def wants(self, type_: str) -> bool:
        """Tell whether events of a type are posted."""
        return any(fnmatchcase(type_, pattern) for pattern in self.events)
