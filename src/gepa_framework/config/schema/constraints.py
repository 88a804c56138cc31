"""What validators ask for, as keywords of JSON Schema; what cannot be said in it is left to the parser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import attrs

from gepa_framework.config import checks

Schema: TypeAlias = "dict[str, Any]"

#: Keywords for the comparisons of ``attrs.validators``.
_COMPARISONS: Mapping[str, str] = MappingProxyType(
    {"<": "exclusiveMaximum", "<=": "maximum", ">": "exclusiveMinimum", ">=": "minimum"}
)
#: Validators of ours that are plain functions.
_PLAIN: tuple[tuple[object, Mapping[str, Any]], ...] = (
    (checks.distinct, {"uniqueItems": True}),
    (checks.each_not_empty, {"items": {"minLength": 1}}),
    (checks.each_http_error, {"items": {"minimum": 400, "maximum": 599}}),
)


def constraints(field: attrs.Attribute[Any]) -> Schema:
    """Give what a field's validators ask for, and what its ``metadata["schema"]`` adds."""
    return {**_of(field.validator), **field.metadata.get("schema", {})}


def _of(validator: Any) -> Schema:
    """Give the keywords of a validator: it has some of its own, is one of attrs', or says nothing."""
    # Others' validators need not be hashable.
    plain = next((said for known, said in _PLAIN if known is validator), None)
    own = getattr(validator, "json_schema", plain)
    if own is not None:
        return dict(own)
    known = _ATTRS.get(type(validator).__name__)
    return known(validator) if known is not None and type(validator).__module__.startswith("attr.") else {}


def _all(validator: Any) -> Schema:
    found: Schema = {}
    for each in validator._validators:  # noqa: SLF001 - attrs shows what is joined nowhere else
        found |= _of(each)
    return found


def _number(validator: Any) -> Schema:
    return {_COMPARISONS[validator.compare_op]: validator.bound}


def _choice(validator: Any) -> Schema:
    return {"enum": list(validator.options)}


def _pattern(validator: Any) -> Schema:
    whole = validator.match_func.__name__ == "fullmatch"
    return {"pattern": f"^(?:{validator.pattern.pattern})$"} if whole else {}


_ATTRS: Mapping[str, Callable[[Any], Schema]] = MappingProxyType(
    {
        "_AndValidator": _all,
        "_OptionalValidator": lambda validator: _of(validator.validator),
        "_NumberValidator": _number,
        "_InValidator": _choice,
        "_MatchesReValidator": _pattern,
        "_MinLengthValidator": lambda validator: {
            "minLength": validator.min_length,
            "minItems": validator.min_length,
        },
        "_MaxLengthValidator": lambda validator: {
            "maxLength": validator.max_length,
            "maxItems": validator.max_length,
        },
    }
)
