"""Copies to be lent to code of others, which may change them and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from operator import attrgetter, is_
from types import MappingProxyType, NoneType
from typing import Any, Final, TypeAlias, TypeVar, cast

import attrs

T = TypeVar("T")
_Reader: TypeAlias = "Callable[[Any], Sequence[Any]]"
#: Values of late of which nothing can be changed, by identity: most recur in one request after another.
_SHARED: Final[dict[int, object]] = {}
_MOST: Final = 1024
_ATOMS: Final = frozenset((str, int, float, bool, NoneType, bytes))
_CONTAINERS: Final = frozenset((MappingProxyType, dict, tuple, frozenset, list, set))


def own_copy(value: T) -> T:
    """Give an equal value of the same type that shares nothing that can be changed.

    Goes through attrs values, mappings and sequences. What cannot be changed is shared, as nearly all of a
    request is, and so is what is none of these.
    """
    return cast("T", _copy(value))


def _copy(value: Any) -> Any:
    kind: Any = type(value)
    if kind in _ATOMS:
        return value
    if kind in _CONTAINERS:
        return _copy_container(kind, value)
    return value if (shape := _shape(kind)) is None else _copy_fields(value, *shape)


def _copy_container(kind: Any, value: Any) -> Any:
    if kind is MappingProxyType:
        if _ATOMS.issuperset(map(type, value.values())):
            return value
        copied = _copies(value.values())
        same = all(map(is_, copied, value.values()))
        return value if same else MappingProxyType(dict(zip(value, copied, strict=True)))
    if kind is dict:
        return dict(zip(value, _copies(value.values()), strict=True))
    copied = _copies(value)
    cannot_change = kind is tuple or kind is frozenset
    return value if cannot_change and all(map(is_, copied, value)) else kind(copied)


def _copies(values: Iterable[Any]) -> list[Any]:
    return [value if type(value) in _ATOMS else _copy(value) for value in values]


def _copy_fields(value: Any, names: Sequence[str], read: _Reader, frozen: bool) -> Any:
    """Copy field by field: the constructor might judge anew, or not take what it once made."""
    if _SHARED.get(id(value)) is value:
        return value
    try:
        fields = read(value)
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
def _shape(kind: Any) -> tuple[tuple[str, ...], _Reader, bool] | None:
    """Give the fields of a class, what reads them, and whether its values refuse to be changed."""
    if not attrs.has(kind):
        return None
    frozen = getattr(kind.__setattr__, "__name__", "") == "_frozen_setattrs"
    names = tuple(field.name for field in attrs.fields(kind))
    read: _Reader = attrgetter(*names) if len(names) > 1 else lambda value: [getattr(value, n) for n in names]
    return names, read, frozen
