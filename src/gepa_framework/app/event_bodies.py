"""Events as objects, from the lines of a feed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import NoneType
from typing import Any

import attrs

from gepa_framework.app.event_lines import EventLine
from gepa_framework.errors import EventFeedError
from gepa_framework.types import EVENT_TYPES, Event, EventBody

_SCALARS: Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "None": (NoneType,),
    "JSONScalar": (str, int, float, bool, NoneType),
    "JSONValue": (str, int, float, bool, NoneType, dict, list),
}
_ARRAY = re.compile(r"tuple\[(.+), \.\.\.\]")
_OBJECT = re.compile(r"Mapping\[str, (.+)\]|(JSONObject)")


def event_of(line: EventLine) -> Event:
    """Give the event of a line; without a clock it is at 0 seconds.

    Raises:
        EventFeedError: It is not of a type that this version knows, or has other fields.
    """
    cls = EVENT_TYPES.get(line.type)
    if cls is None:
        raise _other(line, f"{line.type} is no type that this version knows")
    return Event(line.seq, line.elapsed_seconds or 0.0, _body(cls, line))


def _body(cls: type[EventBody], line: EventLine) -> EventBody:
    known = {field.name: field for field in attrs.fields(cls)}
    if unknown := sorted(line.fields.keys() - known.keys()):
        raise _other(line, f"{line.type} has no field '{unknown[0]}'")
    missing = [name for name, field in known.items() if field.default is attrs.NOTHING]
    if missing := [name for name in missing if name not in line.fields]:
        raise _other(line, f"{line.type} has a field '{missing[0]}', which is missing")
    return cls(**{name: _read(line, known[name], value) for name, value in line.fields.items()})


def _read(line: EventLine, field: attrs.Attribute[Any], value: Any) -> object:
    kind = str(field.type)
    array, mapping = _ARRAY.fullmatch(kind), _OBJECT.fullmatch(kind)
    if array:
        fits = isinstance(value, list) and all(_fits(array[1], each) for each in value)
    elif mapping:
        inner = mapping[1] or "JSONValue"
        fits = isinstance(value, dict) and all(_fits(inner, each) for each in value.values())
    else:
        fits = _fits(kind, value)
    if not fits:
        raise _other(line, f"'{field.name}' of {line.type} is not of the type {kind}")
    return tuple(value) if array else value


def _fits(kind: str, value: object) -> bool:
    allowed = [each for name in kind.split(" | ") for each in _SCALARS[name]]
    # To Python, a boolean is an integer.
    return type(value) in allowed


def _other(line: EventLine, message: str) -> EventFeedError:
    return EventFeedError(f"{line.place}: {message}", hint="it was written by another version, or changed")
