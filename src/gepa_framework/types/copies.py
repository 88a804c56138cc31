"""Copies to be lent to code of others, which may change them and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from operator import attrgetter
from types import MappingProxyType, NoneType
from typing import Any, Final, TypeAlias, TypeVar, cast

import attrs

T = TypeVar("T")
_Reader: TypeAlias = "Callable[[Any], Sequence[Any]]"
#: Values of late of which nothing can be changed, by identity: most recur in one request after another.
_SETTLED: Final[dict[int, object]] = {}
_MOST: Final = 1024
_ATOMS: Final = frozenset((str, int, float, bool, NoneType, bytes))


def own_copy(value: T) -> T:
    """Give an equal value of the same type that shares nothing that can be changed.

    Goes through attrs values, mappings and sequences. What cannot be changed is shared, as nearly all of a
    request is, and so is what is none of these.
    """
    return cast("T", _copy(value))


def _copy(value: Any) -> Any:
    if _is_settled(value):
        return value
    kind: Any = type(value)
    if kind is MappingProxyType or kind is dict:
        copied = {key: _copy(held) for key, held in value.items()}
        return copied if kind is dict else MappingProxyType(copied)
    if kind in (tuple, frozenset, list, set):
        return kind(map(_copy, value))
    return _copy_fields(value)


def _is_settled(value: Any) -> bool:
    """Tell whether nothing in a value can be changed, or nothing that is copied."""
    kind: Any = type(value)
    if kind in _ATOMS:
        return True
    if kind is MappingProxyType:
        return not value or _are_settled(value.values())
    if kind is tuple or kind is frozenset:
        return _are_settled(value)
    if kind is dict or kind is list or kind is set:
        return False
    return (shape := _shape(kind)) is None or _is_frozen(value, *shape)


def _are_settled(values: Iterable[Any]) -> bool:
    for value in values:  # noqa: SIM110 - a generator takes longer than most of what it goes through
        if type(value) not in _ATOMS and not _is_settled(value):
            return False
    return True


def _is_frozen(value: Any, read: _Reader, frozen: bool) -> bool:
    if _SETTLED.get(id(value)) is value:
        return True
    try:
        settled = frozen and _are_settled(read(value))
    except AttributeError:
        return False  # it has not all of its fields
    if settled:
        if len(_SETTLED) >= _MOST:
            _SETTLED.clear()
        _SETTLED[id(value)] = value
    return settled


def _copy_fields(value: Any) -> Any:
    """Copy field by field: the constructor might judge anew, or not take what it once made."""
    lent = copy.copy(value)
    for field in attrs.fields(type(value)):
        if hasattr(value, field.name):
            object.__setattr__(lent, field.name, _copy(getattr(value, field.name)))
    return lent


@cache
def _shape(kind: Any) -> tuple[_Reader, bool] | None:
    """Give what reads the fields of a class, and whether its values refuse to be changed."""
    if not attrs.has(kind):
        return None
    frozen = getattr(kind.__setattr__, "__name__", "") == "_frozen_setattrs"
    names = tuple(field.name for field in attrs.fields(kind))
    read: _Reader = attrgetter(*names) if len(names) > 1 else lambda value: [getattr(value, n) for n in names]
    return read, frozen
