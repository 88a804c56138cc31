"""JSON as it may come over the wire: nothing that we could not store, send on or hash."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from gepa_framework.types import JSONValue
from gepa_framework.types.json import nested_deeper

#: Deeper nesting is no data but an attack on recursion.
MAX_DEPTH = 100
#: Integers must fit in 64 bits, signed or unsigned.
MAX_INT = 2**64 - 1
_MAX_INT_DIGITS = 20


class JSONRefused(ValueError):  # noqa: N818
    """A body is not JSON that we accept; the message says why."""


def _refuse_constant(text: str) -> NoReturn:
    raise JSONRefused(f"{text} is not JSON; numbers must be finite")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise JSONRefused(f"the number {text[:40]} is too large for a float")
    return number


def _bounded(text: str) -> int:
    if len(text) <= _MAX_INT_DIGITS + 1:
        number = int(text)
        if abs(number) <= MAX_INT:
            return number
    raise JSONRefused(f"an integer of {len(text)} digits does not fit in 64 bits: {text[:24]}…")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite, parse_int=_bounded)


def load_json(body: bytes) -> JSONValue:
    """Read a JSON text.

    Raises:
        JSONRefused: It is not UTF-8 or not JSON, or holds NaN, an infinity, an integer of more than 64 bits
            or more than 100 levels of nesting.
    """
    try:
        value: JSONValue = _DECODER.decode(body.decode("utf-8-sig"))
    except JSONRefused:
        raise
    except RecursionError:
        raise JSONRefused(f"nested deeper than {MAX_DEPTH} levels") from None
    except UnicodeDecodeError as error:
        raise JSONRefused(f"not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise JSONRefused(f"{error.msg} at character {error.pos}") from None
    # Without more brackets than levels there is nothing to measure: the usual case, and it is quick.
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and nested_deeper(value, MAX_DEPTH):
        raise JSONRefused(f"nested deeper than {MAX_DEPTH} levels")
    return value


def _plain(value: object) -> dict[Any, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


_ENCODER = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"), default=_plain)


def dump_json(value: JSONValue) -> bytes:
    """Give the value as JSON in ASCII, which also carries lone surrogates whole.

    Raises:
        ValueError: The value holds NaN or an infinity.
        TypeError: The value is not JSON.
    """
    return _ENCODER.encode(value).encode("ascii")
