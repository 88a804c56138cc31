"""Strict structuring of attrs classes that reports every key and every validator, not the first alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

import attrs
from cattrs import Converter, StructureHandlerNotFoundError

from gepa_framework.config.structure.faults import Faults, Gather, did_you_mean, fault, mismatch

T = TypeVar("T")

#: ``types.JSONObject`` is a recursive alias that cannot be evaluated; in a table it is any JSON.
_NAMES: dict[str, object] = {
    "JSONObject": Mapping[str, object],
    "JSONScalar": object,
    "JSONValue": object,
    "Mapping": Mapping,
    "Sequence": Sequence,
}


def register_classes(converter: Converter) -> None:
    """Make the converter structure attrs classes."""
    converter.register_structure_hook_func(
        lambda kind: isinstance(kind, type) and attrs.has(kind),
        lambda value, kind: structure_class(converter, value, kind),
    )


def structure_class(converter: Converter, value: object, cls: type[T], also: Collection[str] = ()) -> T:
    """Structure a table into an attrs class.

    Args:
        converter: Structures the fields.
        value: The table.
        cls: The attrs class; its fields' aliases are the keys.
        also: Further keys that belong in the same table, for "did you mean".

    Raises:
        Faults: Anything is unknown, missing, of the wrong type or refused by a validator.
        NameError: An annotation of the class cannot be resolved.
    """
    if not isinstance(value, dict):
        raise mismatch("a table", value)
    fields = known_fields(cls)
    gather = Gather()
    for key in value.keys() - fields.keys():
        gather.add((key,), f"unknown key '{key}'", did_you_mean(key, {*fields, *also}))
    given: dict[str, Any] = {}
    for alias, field in fields.items():
        with gather.under(alias):
            if alias in value:
                given[alias] = _field(converter, value[alias], field)
            elif field.default is attrs.NOTHING:
                raise fault("is required")
    _validate(cls, given, gather)
    gather.done()
    return _construct(cls, given)


def known_fields(cls: Any) -> dict[str, attrs.Attribute[Any]]:
    """Give the fields of an attrs class that a table may set, by key, with their annotations resolved.

    Raises:
        NameError: An annotation names something that does not exist when the program runs.
    """
    fields = attrs.fields(attrs.resolve_types(cls, localns=_NAMES))
    return {str(field.alias): field for field in fields if field.init}


def _field(converter: Converter, value: object, field: attrs.Attribute[Any]) -> object:
    try:
        return converter.structure(value, field.type or object)
    except StructureHandlerNotFoundError as error:
        raise fault(f"cannot be set in a TOML file: its type is {field.type}") from error
    except Faults:
        raise
    except Exception as error:
        # Types that the converter structures by itself complain in their own ways.
        raise fault(reason(error)) from error


def _validate(cls: Any, given: Mapping[str, Any], gather: Gather) -> None:
    """Run the validators one by one, because the constructor stops at the first that refuses."""
    draft = object.__new__(cls)
    incomplete = bool(gather.faults)
    for field in attrs.fields(cls):
        try:
            _put(draft, field, given)
        except Exception as error:  # noqa: BLE001 - a default of a plugin may raise anything
            gather.add((str(field.alias),), f"has a default that cannot be made: {reason(error)}")
    for field in attrs.fields(cls):
        if field.alias not in given or field.validator is None or not hasattr(draft, field.name):
            continue
        try:
            field.validator(draft, field, getattr(draft, field.name))
        except Exception as error:  # noqa: BLE001 - a validator of a plugin may raise anything
            # A validator may look at a neighbour that is not there because it is itself at fault.
            if not (incomplete and isinstance(error, AttributeError)):
                gather.add((field.alias,), reason(error, field.name))


def _put(draft: object, field: attrs.Attribute[Any], given: Mapping[str, Any]) -> None:
    value = given[str(field.alias)] if field.alias in given else default_of(field, draft)
    # What a converter makes of it is known to the constructor alone.
    if field.converter is None and value is not attrs.NOTHING:
        object.__setattr__(draft, field.name, value)


def default_of(field: attrs.Attribute[Any], instance: object = None) -> Any:
    """Give the default of a field; ``attrs.NOTHING`` where there is none.

    Args:
        field: The field.
        instance: What a default that looks at its neighbours is given.
    """
    default: Any = field.default
    if not isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        return default
    return default.factory(instance) if default.takes_self else default.factory()


def _construct(cls: type[T], given: Mapping[str, Any]) -> T:
    try:
        return cls(**given)
    except Exception as error:
        raise fault(reason(error)) from error


def reason(error: Exception, field: str = "") -> str:
    """Give what an exception says, without the field's name that attrs puts first."""
    said = str(error.args[0]) if error.args and isinstance(error.args[0], str) else str(error)
    return said.removeprefix(f"'{field}' ") or type(error).__name__
