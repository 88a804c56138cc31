"""JSON as the framework understands it: canonical text, digests, deep immutability."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

JSONScalar: TypeAlias = "str | int | float | bool | None"
JSONValue: TypeAlias = "JSONScalar | Sequence[JSONValue] | Mapping[str, JSONValue]"
JSONObject: TypeAlias = "Mapping[str, JSONValue]"

EMPTY: JSONObject = MappingProxyType({})


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


_CANONICAL = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), default=_plain
)
_COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
_ASCII = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"), default=_plain)


def canonical_json(value: JSONValue) -> str:
    """Give the one text that stands for a value: keys sorted, no spaces, no NaN.

    Raises:
        ValueError: The value holds NaN or an infinity.
        TypeError: The value is not JSON.
    """
    return _CANONICAL.encode(value)


def compact_json(value: JSONValue) -> str:
    """Give the value as JSON in the order of its keys, without spaces, fit to be written as UTF-8.

    Raises:
        ValueError: The value holds NaN or an infinity.
        TypeError: The value is not JSON.
    """
    text = _COMPACT.encode(value)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        # A lone surrogate is legal in JSON, as an escape, and in no file.
        return _ASCII.encode(value)
    return text


def digest(value: JSONValue) -> str:
    """Give the SHA-256 of the canonical text, as 64 hexadecimal digits."""
    # Lone surrogates are legal in JSON text but not in UTF-8; they must not stop a run.
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()


def freeze_mapping(value: Mapping[str, JSONValue]) -> JSONObject:
    """Give a read-only view of a copy, so that a shared value cannot be changed by its readers."""
    return MappingProxyType(dict(value)) if len(value) else EMPTY


def nested_deeper(value: JSONValue, levels: int) -> bool:
    """Tell whether arrays and objects stand in one another deeper than so many levels; without recursion."""
    level = [value]
    for _ in range(levels):
        level = [child for parent in level for child in _nested(parent)]
        if not level:
            return False
    return True


def _nested(value: JSONValue) -> list[JSONValue]:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [child for child in children if isinstance(child, dict | list)]
