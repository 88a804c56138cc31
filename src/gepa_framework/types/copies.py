"""Copies to be lent to code of others, which may change them and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from functools import cache
from operator import attrgetter, is_
from types import MappingProxyType, NoneType
from typing import Any, Final, TypeVar, cast

import attrs

T = TypeVar("T")
#: Values of late of which nothing can be changed, by identity: most recur in one request after another.
_SHARED: Final[dict[int, object]] = {}
_MOST: Final = 1024
_ATOMS: Final = frozenset((str, int, float, bool, NoneType, bytes))


def own_copy(value: T) -> T:
    """Give an equal value of the same type that shares nothing that can be changed.

    Goes through attrs values, mappings and sequences. What cannot be changed is shared, as nearly all of a
    request is, and so is what is none of these.
    """
    return cast("T", _copy(value))


def _copy(value: Any) -> Any:
    kind = type(value)
    if kind in _ATOMS:
        return value
    if kind is MappingProxyType:
        copied = _copies(value.values())
        same = all(map(is_, copied, value.values()))
        return value if same else MappingProxyType(dict(zip(value, copied, strict=True)))
    if kind in (tuple, frozenset):
        copied = _copies(value)
        return value if all(map(is_, copied, value)) else kind(copied)
    if kind in (list, set):
        return kind(_copies(value))
    if kind is dict:
        return dict(zip(value, _copies(value.values()), strict=True))
    return _copy_fields(value) if attrs.has(kind) else value


def _copies(values: Iterable[Any]) -> list[Any]:
    return [value if type(value) in _ATOMS else _copy(value) for value in values]


def _copy_fields(value: Any) -> Any:
    """Copy field by field: the constructor might judge anew, or not take what it once made."""
    if _SHARED.get(id(value)) is value:
        return value
    kind: Any = type(value)
    names, frozen = _shape(kind)
    try:
        fields = attrgetter(*names)(value) if len(names) > 1 else [getattr(value, name) for name in names]
    except AttributeError:
        names = tuple(name for name in names if hasattr(value, name))
        fields = [getattr(value, name) for name in names]
    copied = _copies(fields)
    if frozen and all(map(is_, copied, fields)):
        if len(_SHARED) >= _MOST:
            _SHARED.clear()
        _SHARED[id(value)] = value
        return value
    lent = copy.copy(value)
    for name, field in zip(names, copied, strict=True):
        object.__setattr__(lent, name, field)
    return lent


@cache
def _shape(kind: Any) -> tuple[tuple[str, ...], bool]:
    """Give the names of a class's fields, and whether its values refuse to be changed."""
    frozen = getattr(kind.__setattr__, "__name__", "") == "_frozen_setattrs"
    return tuple(field.name for field in attrs.fields(kind)), frozen
