"""The rest of the ``[cache]`` table, once ``backend = "redis"`` has selected this plugin."""

from __future__ import annotations

import math
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs

_SCHEMES = ("redis", "rediss", "unix")


def _address(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    parts = urlsplit(value)
    if parts.scheme not in _SCHEMES or not (parts.path if parts.scheme == "unix" else parts.hostname):
        # What is wrong with it may be a password at the wrong place; it is not repeated.
        raise ValueError(
            f"{attribute.name} must look like redis://127.0.0.1:6379/0, rediss://host or unix:///path"
        )
    if parts.password is not None:
        raise ValueError(
            f"{attribute.name} must not hold a password; name its environment variable in password_env"
        )
    if parts.fragment or set(parse_qs(parts.query, keep_blank_values=True)) - {"db"}:
        raise ValueError(f"{attribute.name} may have ?db=NUMBER behind it, and nothing else")


def _variable(_: object, attribute: attrs.Attribute[str | None], value: str | None) -> None:
    if value is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        raise ValueError(
            f"{attribute.name} must be the name of an environment variable, such as REDIS_PASSWORD, "
            "not the password itself"
        )


def _prefix(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9._:-]{1,100}", value):
        raise ValueError(
            f"{attribute.name} must be 1 to 100 letters, digits, '.', '_', ':' or '-', got {value!r}"
        )


def _positive(_: object, attribute: attrs.Attribute[Any], value: float | None) -> None:
    if value is not None and (not math.isfinite(value) or value <= 0):
        raise ValueError(f"{attribute.name} must be a positive number, got {value!r}")


@attrs.frozen
class RedisCacheConfig:
    """Where the server is, and how it is used."""

    url: str = attrs.field(
        default="redis://127.0.0.1:6379/0",
        validator=_address,
        metadata={"help": "Address of the server: redis://, rediss:// (TLS) or unix://; no password in it."},
    )
    password_env: str | None = attrs.field(
        default=None,
        validator=_variable,
        metadata={"help": "Environment variable whose value is the password; a user may stand in url."},
    )
    prefix: str = attrs.field(
        default="gepa",
        validator=_prefix,
        metadata={"help": "What every key on the server begins with."},
    )
    ttl_seconds: int | None = attrs.field(
        default=None,
        validator=_positive,
        metadata={"help": "How long an answer is kept after its last use; for ever where unset."},
    )
    max_value_mib: int = attrs.field(
        default=64,
        validator=_positive,
        metadata={"help": "Size of the largest answer that is kept, in MiB; a larger one ends the run."},
    )
    connect_timeout_seconds: float = attrs.field(
        default=5.0,
        validator=_positive,
        metadata={"help": "How long the server may take to accept a connection."},
    )
    timeout_seconds: float = attrs.field(
        default=10.0,
        validator=_positive,
        metadata={"help": "How long the server may take to answer one command."},
    )
    max_connections: int = attrs.field(
        default=16,
        validator=_positive,
        metadata={"help": "Connections that are open at once; further calls wait for one."},
    )

    @property
    def shown(self) -> str:
        """The address as messages have it, without user and options."""
        parts = urlsplit(self.url)
        if parts.scheme == "unix":
            return f"unix://{parts.path}"
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"
