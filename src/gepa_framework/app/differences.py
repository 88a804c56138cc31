"""The first difference between two JSON values, and where it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard

import attrs

from gepa_framework.types import JSONValue, canonical_json

#: So much of a value is shown.
_SHOWN = 200


@attrs.frozen
class Absent:
    """Stands for a value that is not there."""

    def __str__(self) -> str:
        """Say so."""
        return "nothing"


@attrs.frozen
class Difference:
    """One place where two values differ.

    Attributes:
        path: Dotted path to it; empty for the whole.
        one: What the first value has there.
        other: What the second has there.
    """

    path: str
    one: JSONValue | Absent
    other: JSONValue | Absent

    def shown(self) -> tuple[str, str]:
        """Give both sides as text, cut where they are long."""
        return _text(self.one), _text(self.other)


def first_difference(one: JSONValue, other: JSONValue) -> Difference | None:
    """Give the first difference in the order of the first value's keys; ``None`` where there is none."""
    return next(differences(one, other), None)


def differences(one: JSONValue, other: JSONValue) -> Iterator[Difference]:
    """Give every difference in the order of the first value's keys."""
    return _differences((), one, other)


def _differences(path: tuple[str, ...], one: JSONValue, other: JSONValue) -> Iterator[Difference]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in (*one, *(key for key in other if key not in one)):
            yield from _below(path, key, one.get(key, _ABSENT), other.get(key, _ABSENT))
    elif _listed(one) and _listed(other):
        for index in range(max(len(one), len(other))):
            left = one[index] if index < len(one) else _ABSENT
            right = other[index] if index < len(other) else _ABSENT
            yield from _below(path, str(index), left, right)
    elif type(one) is not type(other) or one != other:
        yield Difference(".".join(path), one, other)


_ABSENT = Absent()


def _below(
    path: tuple[str, ...], key: str, one: JSONValue | Absent, other: JSONValue | Absent
) -> Iterator[Difference]:
    if isinstance(one, Absent) or isinstance(other, Absent):
        yield Difference(".".join((*path, key)), one, other)
    else:
        yield from _differences((*path, key), one, other)


def _listed(value: JSONValue) -> TypeGuard[Sequence[JSONValue]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _text(value: JSONValue | Absent) -> str:
    text = str(value) if isinstance(value, Absent) else canonical_json(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
