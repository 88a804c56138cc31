"""Values that any collector takes: one that cannot be encoded would cost the whole batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

Value: TypeAlias = str | bool | int | float | list[str]
Attributes: TypeAlias = dict[str, Value]

_MOST_CHARS: Final = 32_768
_MOST_ITEMS: Final = 128
_INT64: Final = 2**63


def clean(text: str) -> str:
    """Give a text without halves of characters, and no longer than bearable."""
    return text[:_MOST_CHARS].encode("utf-8", "replace").decode()


def put(into: Attributes, name: str, value: object) -> None:
    """Enter a value under its name; what is unknown, empty or of no use to a collector is left out.

    A mapping becomes one entry for each of its keys, ``name.key``.
    """
    if isinstance(value, str):
        if value:
            into[name] = clean(value)
    elif isinstance(value, bool | float):
        into[name] = value
    elif isinstance(value, int):
        into[name] = value if -_INT64 <= value < _INT64 else str(value)
    elif isinstance(value, Mapping):
        for key in list(value)[:_MOST_ITEMS]:
            put(into, f"{name}.{clean(str(key))}", value[key])
    elif isinstance(value, Sequence) and value:
        into[name] = [clean(str(each)) for each in value[:_MOST_ITEMS]]
