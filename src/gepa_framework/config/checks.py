"""Validators of the framework's own tables, with reasons that say what would be right."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

import attrs
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidName, canonicalize_name

Validator: TypeAlias = "Callable[[Any, attrs.Attribute[Any], Any], None]"

_HTTP_ERRORS = range(400, 600)
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@attrs.frozen(eq=False)
class Check:
    """A validator that lets ``None`` pass, and that the JSON Schema of the configuration can tell of.

    Attributes:
        test: What a value must pass.
        complaint: What is said of one that does not.
        json_schema: The same as keywords of JSON Schema.
    """

    test: Callable[[Any], object]
    complaint: str
    json_schema: Mapping[str, Any]

    def __call__(self, _: Any, __: attrs.Attribute[Any], value: Any) -> None:
        """Refuse what does not pass.

        Raises:
            ValueError: It does not.
        """
        if value is not None and not self.test(value):
            shown = f": {value!r}" if isinstance(value, int | float) else ""
            raise ValueError(self.complaint + shown)


def _when(test: Callable[[Any], object], complaint: str, **json_schema: Any) -> Check:
    return Check(test, complaint, json_schema)


positive = _when(lambda value: value > 0, "must be > 0", exclusiveMinimum=0)
not_negative = _when(lambda value: value >= 0, "must be >= 0", minimum=0)
fraction = _when(lambda value: 0 <= value <= 1, "must be between 0 and 1", minimum=0, maximum=1)
below_one = _when(lambda value: value < 1, "must be < 1", exclusiveMaximum=1)
unsigned_32 = _when(
    lambda value: 0 <= value < 2**32, "must be between 0 and 2**32 - 1", minimum=0, maximum=2**32 - 1
)
unsigned_64 = _when(
    lambda value: 0 <= value < 2**64, "must be between 0 and 2**64 - 1", minimum=0, maximum=2**64 - 1
)
not_empty = _when(bool, "must not be empty", minLength=1)
environment_name = _when(
    _ENV_NAME.fullmatch,
    "must be the name of an environment variable, not a value",
    pattern=f"^{_ENV_NAME.pattern}$",
)


def strictly_between(low: float, high: float) -> Check:
    """Give a validator that asks for a number between two others, both excluded."""
    return _when(
        lambda value: low < value < high,
        f"must be > {low} and < {high}",
        exclusiveMinimum=low,
        exclusiveMaximum=high,
    )


def at_most(high: float) -> Check:
    """Give a validator that asks for no more than a number."""
    return _when(lambda value: value <= high, f"must be <= {high}", maximum=high)


def at_least_one(what: str) -> Validator:
    """Give a validator that refuses an empty collection."""
    return _when(bool, f"must contain at least one {what}", minItems=1)


def matches(pattern: str, complaint: str) -> Check:
    """Give a validator that asks for a whole match."""
    return _when(re.compile(pattern).fullmatch, complaint, pattern=f"^(?:{pattern})$")


def at_least(least: int) -> Check:
    """Give a validator that asks for no less than a number."""
    return _when(lambda value: value >= least, f"must be >= {least}", minimum=least)


def at_least_field(other: str) -> Validator:
    """Give a validator that asks for no less than another field of the same table."""

    def validate(instance: Any, _: attrs.Attribute[Any], value: Any) -> None:
        if value is not None and value < getattr(instance, other):
            raise ValueError(f"must be >= {other} ({getattr(instance, other)}): {value}")

    return validate


@attrs.frozen
class Only:
    """A validator for a choice of which not everything may be chosen.

    Attributes:
        allowed: What may be.
        why: Why the rest may not, and what to do.
    """

    allowed: tuple[str, ...]
    why: str

    @property
    def json_schema(self) -> Mapping[str, Any]:
        """The same as keywords of JSON Schema."""
        return {"enum": list(self.allowed)}

    def __call__(self, _: Any, __: attrs.Attribute[Any], value: Any) -> None:
        """Refuse what may not be chosen.

        Raises:
            ValueError: It may not.
        """
        if value is not None and value not in self.allowed:
            raise ValueError(f'"{value}" cannot be chosen; {self.why}')


def only(*allowed: str, why: str) -> Only:
    """Give a validator for a choice of which not everything may be chosen."""
    return Only(allowed, why)


def each_http_error(_: Any, __: attrs.Attribute[Any], value: Collection[int]) -> None:
    """Refuse numbers that are no statuses of failed HTTP calls."""
    if wrong := [status for status in value if status not in _HTTP_ERRORS]:
        raise ValueError(f"must hold HTTP statuses from 400 to 599: {some(wrong)}")


def each_not_empty(_: Any, __: attrs.Attribute[Any], value: Collection[str] | None) -> None:
    """Refuse a collection with an empty text in it."""
    if not all(value or ()):
        raise ValueError("must not hold an empty text")


def distinct(_: Any, __: attrs.Attribute[Any], value: Collection[object] | None) -> None:
    """Refuse a collection that names something twice."""
    twice = [item for item, times in Counter(value or ()).items() if times > 1]
    if twice:
        raise ValueError(f"names {some(twice)} more than once")


def requirements(_: Any, __: attrs.Attribute[Any], value: Collection[str]) -> None:
    """Refuse what pip would not take for a requirement."""
    for text in value:
        try:
            Requirement(text)
        except InvalidRequirement as error:
            first_line = str(error).partition("\n")[0]
            raise ValueError(f"'{text}' is no requirement such as 'name>=1.2': {first_line}") from error


def distribution_names(_: Any, __: attrs.Attribute[Any], value: Collection[str]) -> None:
    """Refuse what cannot be the name of a distribution."""
    for text in value:
        try:
            canonicalize_name(text, validate=True)
        except InvalidName as error:
            raise ValueError(f"'{text}' is no distribution name") from error


def some(items: Collection[object], limit: int = 10) -> str:
    """Give the first few of many, for a message."""
    shown = [str(item) for item in list(items)[:limit]]
    return ", ".join(shown) + (f" and {len(items) - limit} more" if len(items) > limit else "")
