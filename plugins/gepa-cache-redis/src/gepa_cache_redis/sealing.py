"""How a value is written on the server: under an unmistakable key, behind a digest of all of it."""

from __future__ import annotations

import hashlib
from typing import Final
from urllib.parse import quote

_DIGEST_BYTES: Final = 32


def place(prefix: str, namespace: str, key: str) -> str:
    """Give the server's key; no two places have the same, and none has a character of a pattern in it."""
    return f"{everything_in(prefix, namespace)}{quote(key, safe='')}"


def everything_in(prefix: str, namespace: str) -> str:
    """Give what the keys of a namespace begin with, and no other key does."""
    return f"{prefix}:{quote(namespace, safe='')}:"


def seal(place: str, value: bytes) -> bytes:
    """Give the value behind the SHA-256 that binds it to its place."""
    return _digest(place, value) + value


def unseal(place: str, sealed: bytes) -> bytes | None:
    """Give the value, or ``None`` where it is not what was written there."""
    value = sealed[_DIGEST_BYTES:]
    return value if sealed[:_DIGEST_BYTES] == _digest(place, value) else None


def _digest(place: str, value: bytes) -> bytes:
    whole = hashlib.sha256(place.encode() + b"\0")
    whole.update(value)
    return whole.digest()
