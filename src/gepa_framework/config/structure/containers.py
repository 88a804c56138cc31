"""Strict hooks for arrays, tables of one type, and values that may have one of several types."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Any, Literal, Union, get_args, get_origin

from cattrs import Converter

from gepa_framework.config.structure.faults import Fault, Faults, Gather, describe, fault, mismatch
from gepa_framework.config.structure.scalars import literal

_SEQUENCES: dict[object, Callable[[list[Any]], object]] = {
    tuple: tuple,
    list: list,
    Sequence: tuple,
    set: set,
    frozenset: frozenset,
    AbstractSet: frozenset,
}
_MAPPINGS: dict[object, Callable[[dict[str, Any]], object]] = {dict: dict, Mapping: MappingProxyType}


def register_containers(converter: Converter) -> None:
    """Make the converter structure generic types, strictly and with all faults at once."""
    factories: tuple[tuple[Callable[[Any], bool], Callable[[Any, object, Converter], object]], ...] = (
        (lambda kind: _origin(kind) in _SEQUENCES, _sequence),
        (lambda kind: _origin(kind) in _MAPPINGS, _mapping),
        (lambda kind: _origin(kind) in (Union, types.UnionType), _union),
    )
    for check, structure in factories:
        converter.register_structure_hook_func(check, _bind(structure, converter))
    converter.register_structure_hook_func(lambda kind: _origin(kind) is Literal, literal)


def _origin(kind: Any) -> object:
    return get_origin(kind)


def _bind(structure: Callable[[Any, object, Converter], object], converter: Converter) -> Any:
    return lambda value, kind: structure(kind, value, converter)


def _sequence(kind: Any, value: object, converter: Converter) -> object:
    if not isinstance(value, list):
        raise mismatch("an array", value)
    wanted = _element_types(kind, len(value))
    if len(wanted) != len(value):
        raise fault(f"expected {len(wanted)} elements, got {len(value)}")
    gather = Gather()
    items: list[object] = []
    for index, (item, element) in enumerate(zip(value, wanted, strict=True)):
        with gather.under(str(index)):
            items.append(converter.structure(item, element))
    gather.done()
    return _SEQUENCES[_origin(kind)](items)


def _element_types(kind: Any, length: int) -> list[Any]:
    arguments = get_args(kind)
    if _origin(kind) is tuple and not (len(arguments) == 2 and arguments[1] is Ellipsis):  # noqa: PLR2004 - tuple[T, ...]
        return list(arguments)
    return [arguments[0]] * length


def _mapping(kind: Any, value: object, converter: Converter) -> object:
    if not isinstance(value, dict):
        raise mismatch("a table", value)
    key_type, element = get_args(kind)
    gather = Gather()
    table: dict[Any, object] = {}
    for key, item in value.items():
        with gather.under(key):
            table[converter.structure(key, key_type)] = converter.structure(item, element)
    gather.done()
    return _MAPPINGS[_origin(kind)](table)


def _union(kind: Any, value: object, converter: Converter) -> object:
    # TOML has no null: None can only be a default.
    members = [member for member in get_args(kind) if member is not types.NoneType]
    refusals: list[Faults] = []
    for member in members:
        try:
            return converter.structure(value, member)
        except Faults as refusal:
            refusals.append(refusal)
    raise _one_refusal(refusals, value)


def _one_refusal(refusals: Sequence[Faults], value: object) -> Faults:
    """Give the refusal of the one member that was meant, else what any of them would have taken."""
    meant = [refusal for refusal in refusals if not _wrong_type(refusal.faults)]
    if meant or len(refusals) == 1:
        return (meant or refusals)[0]
    wanted = " or ".join(dict.fromkeys(refusal.faults[0].expected for refusal in refusals))
    return Faults(Fault((), f"expected {wanted}, got {describe(value)}", expected=wanted))


def _wrong_type(faults: Sequence[Fault]) -> bool:
    return len(faults) == 1 and not faults[0].path and bool(faults[0].expected)
