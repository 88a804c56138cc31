"""Strict hooks for scalars: what TOML calls a string is a string, and nothing is turned into another type."""

from __future__ import annotations

import datetime as dt
import enum
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from cattrs import Converter, StructureHandlerNotFoundError

from gepa_framework.config.structure.faults import Gather, did_you_mean, fault, mismatch

_INT64 = 2**63


def register_scalars(converter: Converter) -> None:
    """Make the converter strict about everything that is not a container."""
    for kind in (str, bytes, int, float, Path):
        # The converter asks these hooks for subclasses too: that of int for a bool, that of str for an enum.
        converter.register_structure_hook(kind, _scalar)
    converter.register_structure_hook_func(lambda kind: kind in _HOOKS or _is_enum(kind), _scalar)


def _scalar(value: object, kind: Any) -> Any:
    if _is_enum(kind):
        return one_of(value, {member.value: member for member in kind})
    if kind not in _HOOKS:
        raise StructureHandlerNotFoundError(f"nothing in TOML is a {kind}", type_=kind)
    return _HOOKS[kind](value)


def _exactly(kind: type[object], name: str) -> Callable[[object], object]:
    def structure(value: object) -> object:
        # bool is an int and datetime is a date: only the very type will do.
        if type(value) is not kind:
            raise mismatch(name, value)
        return _encodable(value) if isinstance(value, str) else value

    return structure


def _encodable(text: str) -> str:
    """Refuse what a shell handed over as bytes that are no text; it could not be written down again."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise fault("is not UTF-8") from error
    return text


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise mismatch("an integer", value)
    # Unsigned 64-bit seeds are let through; no field has use for more.
    if not -_INT64 <= value < 2 * _INT64:
        raise fault("is no 64-bit integer", "write a number nearer to zero")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise mismatch("a number", value)
    if isinstance(value, int):
        value = _integer(value)
    if not math.isfinite(value):
        raise fault(f"must be finite: {value}")
    return float(value)


def _path(value: object) -> Path:
    if not isinstance(value, str):
        raise mismatch("a path as a string", value)
    if not value or "\0" in value:
        raise fault("must be a path, not empty and without NUL")
    return Path(value)


def _is_enum(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


def literal(value: object, kind: Any) -> object:
    """Structure a ``Literal``: the value itself, of the same type."""
    return one_of(value, {allowed: allowed for allowed in get_args(kind)})


def one_of(value: object, allowed: Mapping[object, object]) -> object:
    """Give what an allowed value stands for.

    Raises:
        Faults: It is not one of the allowed values.
    """
    for key, meant in allowed.items():
        if type(key) is type(value) and key == value:
            return meant
    names = [str(key) for key in allowed]
    if not isinstance(value, str):
        raise mismatch("one of " + ", ".join(names), value)
    raise fault(f'"{value[:80]}" is not one of {", ".join(names)}', _near(value, names))


def _near(value: str, names: list[str]) -> str:
    hint = did_you_mean(value, names)
    return hint if hint.startswith("did") else ""


def json_value(value: object) -> object:
    """Give a TOML value as read-only JSON.

    Raises:
        Faults: It holds a date, an infinity, NaN or an integer of more than 64 bits.
    """
    if isinstance(value, dict):
        return MappingProxyType(dict(_json_items(value.items())))
    if isinstance(value, list):
        return tuple(item for _, item in _json_items((str(index), item) for index, item in enumerate(value)))
    return value if isinstance(value, bool) else _json_scalar(value)


def _json_scalar(value: object) -> object:
    if isinstance(value, str):
        return _encodable(value)
    if isinstance(value, int | float):
        return _integer(value) if isinstance(value, int) else _number(value)
    raise mismatch("a value that JSON knows", value)


def _json_items(items: Iterable[tuple[str, object]]) -> list[tuple[str, object]]:
    gather = Gather()
    found: list[tuple[str, object]] = []
    for key, item in items:
        with gather.under(key):
            found.append((key, json_value(item)))
    gather.done()
    return found


_HOOKS: dict[object, Callable[[object], object]] = {
    bool: _exactly(bool, "a boolean"),
    str: _exactly(str, "a string"),
    int: _integer,
    float: _number,
    Path: _path,
    dt.datetime: _exactly(dt.datetime, "a date with time"),
    dt.date: _exactly(dt.date, "a date"),
    dt.time: _exactly(dt.time, "a time"),
    object: json_value,
    Any: json_value,
}
