"""From types and attrs classes to JSON Schema: the same rules as those of the parser, read the other way."""

from __future__ import annotations

import enum
import types
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Union, get_args, get_origin

import attrs

from gepa_framework.config.resolved import plain
from gepa_framework.config.schema.constraints import Schema, constraints
from gepa_framework.config.schema.descriptions import described, description
from gepa_framework.config.sections.gepa import SamplerTable, SelectorTable
from gepa_framework.config.sections.rows import RowKeys, Seeds
from gepa_framework.config.structure import default_of, known_fields

#: What nothing in a file can be.
NOTHING: Mapping[str, Any] = MappingProxyType({"not": {}})
_ARRAYS = (tuple, list, Sequence, set, frozenset, AbstractSet)
_RANGE = MappingProxyType({"type": "string", "pattern": r"^\s*\d{1,18}\s*-\s*\d{1,18}\s*$"})
_SCALARS: Mapping[object, Mapping[str, Any]] = MappingProxyType(
    {
        bool: {"type": "boolean"},
        int: {"type": "integer"},
        float: {"type": "number"},
        str: {"type": "string"},
        Path: {"type": "string", "minLength": 1},
        object: {},
        Any: {},
        Seeds: {"anyOf": [{"type": "array", "items": {"type": "integer"}}, dict(_RANGE)]},
        RowKeys: {"anyOf": [{"type": "array", "items": {"type": ["integer", "string"]}}, dict(_RANGE)]},
    }
)


def class_schema(cls: type[object], around: tuple[object, ...] = ()) -> Schema:
    """Give the schema of the table that is structured into an attrs class.

    Args:
        cls: The class.
        around: The classes that it stands in; one that stands in itself is any table.
    """
    if cls in around:
        return {"type": "object"}
    fields = known_fields(cls)
    required = [key for key, field in fields.items() if field.default is attrs.NOTHING]
    return {
        "type": "object",
        "description": described(cls),
        "properties": {key: field_schema(cls, field, (*around, cls)) for key, field in fields.items()},
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def field_schema(cls: type[object], field: attrs.Attribute[Any], around: tuple[object, ...] = ()) -> Schema:
    """Give the schema of one key: its type, what its validators ask for, its default and what it is."""
    schema = _joined(type_schema(field.type or object, around), constraints(field))
    if said := description(cls, field):
        schema["description"] = said
    default = _default(field)
    return schema if default is None else {**schema, "default": default}


def type_schema(kind: Any, around: tuple[object, ...] = ()) -> Schema:
    """Give the schema of what is structured into a type."""
    if kind in _SCALARS:
        return dict(_SCALARS[kind])
    if kind in (SelectorTable, SamplerTable):
        table = class_schema(kind, around)
        return {"anyOf": [{"enum": table["properties"]["name"]["enum"]}, table]}
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return {"enum": [member.value for member in kind]}
    if isinstance(kind, type) and attrs.has(kind):
        return class_schema(kind, around)
    generic = next((build for origins, build in _GENERICS if get_origin(kind) in origins), None)
    return dict(NOTHING) if generic is None else generic(get_args(kind), around)


def _array(arguments: tuple[Any, ...], around: tuple[object, ...]) -> Schema:
    return {"type": "array", "items": type_schema(arguments[0], around)}


def _tuple(arguments: tuple[Any, ...], around: tuple[object, ...]) -> Schema:
    if arguments[1:] == (Ellipsis,):
        return _array(arguments, around)
    items = [type_schema(each, around) for each in arguments]
    return {"type": "array", "prefixItems": items, "items": False, "minItems": len(items)}


def _mapping(arguments: tuple[Any, ...], around: tuple[object, ...]) -> Schema:
    keys = {} if arguments[0] in (str, Any, object) else {"propertyNames": type_schema(arguments[0], around)}
    return {"type": "object", **keys, "additionalProperties": type_schema(arguments[1], around)}


def _union(arguments: tuple[Any, ...], around: tuple[object, ...]) -> Schema:
    # TOML has no null: None can only be a default.
    members = [type_schema(each, around) for each in arguments if each is not types.NoneType]
    return members[0] if len(members) == 1 else {"anyOf": members}


def _literal(arguments: tuple[Any, ...], _: tuple[object, ...]) -> Schema:
    return {"enum": list(arguments)}


_GENERICS: tuple[tuple[tuple[object, ...], Callable[[tuple[Any, ...], tuple[object, ...]], Schema]], ...] = (
    ((tuple,), _tuple),
    (_ARRAYS, _array),
    ((dict, Mapping), _mapping),
    ((Union, types.UnionType), _union),
    ((Literal,), _literal),
)


def _joined(schema: Schema, asked: Schema) -> Schema:
    """Join what a type and what validators say; of an array, also what each element must be."""
    items = asked.get("items")
    if isinstance(items, dict) and isinstance(schema.get("items"), dict):
        asked = {**asked, "items": {**schema["items"], **items}}
    return {**schema, **asked}


def _default(field: attrs.Attribute[Any]) -> Any:
    """Give a default that a file could hold; ``None`` where there is none."""
    factory: Any = field.default
    if factory is attrs.NOTHING or getattr(factory, "takes_self", False):
        return None
    default = default_of(field)
    # The keys of a table have defaults of their own.
    return None if attrs.has(type(default)) else plain(default)
