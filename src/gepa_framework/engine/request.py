"""Requests as text: what exactly a proposer is asked, as it is digested and kept."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from functools import cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any, TypeAlias

import attrs

from gepa_framework.types import (
    Candidate,
    ComponentSpec,
    EvidenceFrame,
    JSONObject,
    LineageStep,
    Program,
    ProposalRequest,
    RejectedAttempt,
    canonical_json,
)
from gepa_framework.types.json import EMPTY

#: Fields that are always there. Those that came later are left out where they say nothing, so that a request
#: without them has the digest that it always had.
_ALWAYS: Mapping[type[object], frozenset[str]] = {
    ProposalRequest: frozenset(
        (
            *("proposal_id", "iteration", "parent", "components", "evidence", "rejected"),
            *("program", "task", "seed"),
        )
    ),
    EvidenceFrame: frozenset(
        ("row_id", "inputs", "reward", "output", "feedback", "objectives", "failure"),
    ),
    RejectedAttempt: frozenset(("candidate_id", "changes", "reason", "before", "after")),
    ComponentSpec: frozenset(("name", "module_id", "role", "objective")),
}
_LEAVES = frozenset((str, int, float, bool, type(None), dict, MappingProxyType))
#: Gives the default of a field, which may depend on the other fields.
_Default: TypeAlias = Callable[[object], object]


def request_fields(request: ProposalRequest) -> JSONObject:
    """Give what is semantically asked: the request without its id and without the program's raw form."""
    fields: dict[str, Any] = plain(request)
    fields["program"] = {**fields["program"], "raw": EMPTY}
    del fields["proposal_id"]
    return fields


def request_text(request: ProposalRequest) -> str:
    """Give the request as canonical JSON, fit to be written as UTF-8; its SHA-256 is the request's digest."""
    told = {name: _told(name, value) for name, value in _present(request).items() if name != "proposal_id"}
    text = "{" + ",".join(f'"{name}":{told[name]}' for name in sorted(told)) + "}"
    try:
        text.encode()
    except UnicodeEncodeError:
        # A lone surrogate is legal in JSON, as an escape, and in no file.
        return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    return text


def plain(value: Any) -> Any:
    """Give a value of `gepa_framework.types` as JSON values, which are not to be changed."""
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    cls = value.__class__
    if cls in _RECURRING:
        return _RECURRING[cls].of(value)
    return _fields(value)


def _told(name: str, value: Any) -> str:
    """Give a field of a request as canonical JSON, put together of what is known of its parts."""
    if value.__class__ is tuple and value and value[0].__class__ in _RECURRING:
        return "[" + ",".join(map(text_of, value)) + "]"
    if name == "program":
        return canonical_json({**plain(value), "raw": EMPTY})
    return text_of(value) if value.__class__ in _RECURRING else canonical_json(plain(value))


def text_of(value: Any) -> str:
    """Give a value of a class that recurs as canonical JSON."""
    text: str = _TEXTS[value.__class__].of(value)
    return text


def _present(value: Any) -> dict[str, Any]:
    """Give the fields that say something, as they are."""
    shape = _shape(value.__class__)
    if shape is None:
        raise TypeError(f"{type(value).__name__} has no fields")
    fields: dict[str, Any] = dict(zip(shape.names, shape.read(value), strict=True))
    for name, default in shape.optional:
        if fields[name] == default(value):
            del fields[name]
    return fields


def _fields(value: Any) -> Any:
    if _shape(value.__class__) is None:
        return value
    fields = _present(value)
    for name, held in fields.items():
        if held.__class__ not in _LEAVES:
            fields[name] = plain(held)
    return fields


class _Memory:
    """What was made of the latest values of a class, by identity: many recur in one request after another.

    Args:
        most: Values that are remembered.
        make: Makes it.
        longest: What is longer is made anew each time.
    """

    def __init__(self, most: int, make: Callable[[Any], Any], longest: float = math.inf) -> None:
        self._most, self._make, self._longest = most, make, longest
        self._made: dict[int, tuple[object, Any]] = {}

    def of(self, value: Any) -> Any:
        """Give what is made of a value."""
        known = self._made.get(id(value))
        if known is not None and known[0] is value:
            return known[1]
        made = self._make(value)
        if len(made) <= self._longest:
            if len(self._made) >= self._most:
                self._made.clear()
            self._made[id(value)] = value, made
        return made


#: Frames are measured before they are told; lineages, refused attempts and programs recur.
_RECURRING: Mapping[type[object], _Memory] = {
    Candidate: _Memory(64, _fields),
    LineageStep: _Memory(1024, _fields),
    RejectedAttempt: _Memory(1024, _fields),
    EvidenceFrame: _Memory(64, _fields),
    Program: _Memory(1, _fields),
}
#: The same as text, which is longer than what it is made of: fewer are held, and no very long ones.
_TEXTS: Mapping[type[object], _Memory] = {
    cls: _Memory(64, lambda value: canonical_json(plain(value)), longest=1 << 16) for cls in _RECURRING
}


@attrs.frozen
class _Shape:
    """The fields of a class, what reads them all at once, and the defaults of those that may be left out."""

    names: tuple[str, ...]
    read: Callable[[object], tuple[object, ...]]
    optional: tuple[tuple[str, _Default], ...]


@cache
def _shape(cls: Any) -> _Shape | None:
    if not attrs.has(cls):
        return None
    always = _ALWAYS.get(cls)
    names = tuple(field.name for field in attrs.fields(cls))
    return _Shape(
        names,
        attrgetter(*names) if len(names) > 1 else lambda value: tuple(getattr(value, name) for name in names),
        tuple(
            (field.name, _default_of(field.default))
            for field in attrs.fields(cls)
            if always is not None and field.name not in always
        ),
    )


def _default_of(default: Any) -> _Default:
    if not isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        return lambda _: default
    given: _Default = default.factory
    return given if default.takes_self else lambda _: default.factory()
