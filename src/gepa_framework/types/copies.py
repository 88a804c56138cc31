"""Copies to be lent to code of others, which may change them and nothing else."""

from __future__ import annotations

import copy
from types import MappingProxyType
from typing import Any, TypeVar, cast

import attrs

T = TypeVar("T")


def own_copy(value: T) -> T:
    """Give an equal value of the same type that shares nothing that can be changed.

    Goes through attrs values, mappings and sequences; what else there is, is shared.
    """
    return cast("T", _copy(value))


def _copy(value: Any) -> Any:
    kind = type(value)
    if kind in (dict, MappingProxyType):
        return kind({key: _copy(item) for key, item in value.items()})
    if kind in (list, tuple, set, frozenset):
        return kind(map(_copy, value))
    return _copy_fields(value) if attrs.has(kind) else value


def _copy_fields(value: Any) -> Any:
    """Copy field by field: the constructor might judge anew, or not take what it once made."""
    copied = copy.copy(value)
    for field in attrs.fields(type(value)):
        if hasattr(value, field.name):
            object.__setattr__(copied, field.name, _copy(getattr(value, field.name)))
    return copied
