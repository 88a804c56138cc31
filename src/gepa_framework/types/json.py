"""JSON as the framework understands it: canonical text, digests, deep immutability."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

JSONScalar: TypeAlias = "str | int | float | bool | None"
JSONValue: TypeAlias = "JSONScalar | Sequence[JSONValue] | Mapping[str, JSONValue]"
JSONObject: TypeAlias = "Mapping[str, JSONValue]"

EMPTY: JSONObject = MappingProxyType({})


def _plain(value: object) -> object:
    # Nearly always it is a read-only dict of our own: `dict` would go through it key by key, which takes five
    # times as long, and so does asking an abstract class.
    if type(value) is MappingProxyType:
        try:
            return value.copy()
        except AttributeError:
            return dict(value)  # what it shows need not be a dict
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _encoder(*, ascii_only: bool = False, sort_keys: bool = False) -> Callable[[object], str]:
    encoder = json.JSONEncoder(
        ensure_ascii=ascii_only,
        allow_nan=False,
        sort_keys=sort_keys,
        separators=(",", ":"),
        default=_plain,
        check_circular=False,
    )
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return encoder.encode
    # `JSONEncoder.encode` makes one of these anew at each call, which takes longer than a small value does.
    quote = json.encoder.encode_basestring_ascii if ascii_only else json.encoder.encode_basestring
    encode = make(None, _plain, quote, None, ":", ",", sort_keys, False, False)
    return lambda value: "".join(encode(value, 0))


_CANONICAL = _encoder(sort_keys=True)
_COMPACT = _encoder()
_ASCII = _encoder(ascii_only=True)


def canonical_json(value: JSONValue) -> str:
    """Give the one text that stands for a value: keys sorted, no spaces, no NaN.

    Raises:
        ValueError: The value holds NaN or an infinity.
        TypeError: The value is not JSON.
        RecursionError: The value is nested too deep, or holds itself.
    """
    return _CANONICAL(value)


def compact_json(value: JSONValue) -> str:
    """Give the value as JSON in the order of its keys, without spaces, fit to be written as UTF-8.

    Raises:
        ValueError: The value holds NaN or an infinity.
        TypeError: The value is not JSON.
        RecursionError: The value is nested too deep, or holds itself.
    """
    text = _COMPACT(value)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        # A lone surrogate is legal in JSON, as an escape, and in no file.
        return _ASCII(value)
    return text


def digest(value: JSONValue) -> str:
    """Give the SHA-256 of the canonical text, as 64 hexadecimal digits."""
    # Lone surrogates are legal in JSON text but not in UTF-8; they must not stop a run.
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()


def freeze_mapping(value: Mapping[str, JSONValue]) -> JSONObject:
    """Give a read-only view of a copy, so that a shared value cannot be changed by its readers."""
    if value is EMPTY:
        return EMPTY
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
