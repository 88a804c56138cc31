"""Cutting JSON values to a number of bytes, with a mark where something is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from gepa_framework.types import JSONValue, canonical_json

#: Deeper inside, a value that does not fit is cut as the text that it is.
_LEVELS: Final = 6
#: A value is not cut below so many bytes; rather fewer of them are shown.
_LEAST: Final = 48


class _Gone:
    """Stands for a value that there is no room for."""


GONE: Final = _Gone()


def size(value: JSONValue) -> int:
    """Give the bytes of a value as canonical JSON in UTF-8."""
    return bytes_of(canonical_json(value))


def bytes_of(text: str) -> int:
    """Give the bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def level(sizes: Sequence[int], room: int) -> int:
    """Give the size that all are cut to, where they are longer, so that together they fit."""
    left = room
    for position, one in enumerate(sorted(sizes)):
        share = left // (len(sizes) - position)
        if one > share:
            return max(0, share)
        left -= one
    return max(sizes, default=0)


def cut(value: JSONValue, room: int, depth: int = 0) -> JSONValue | _Gone:
    """Give as much of a value as fits into so many bytes, marked; `GONE` where not even the mark fits."""
    if size(value) <= room:
        return value
    if isinstance(value, str):
        return cut_text(value, room)
    if not isinstance(value, Mapping | list | tuple):
        return GONE
    if depth >= _LEVELS:
        return cut_text(canonical_json(value), room)
    if isinstance(value, Mapping):
        return _cut_object(value, room, depth + 1)
    return _cut_array(value, room, depth + 1)


def cut_text(text: str, room: int) -> str | _Gone:
    """Give head and tail of a text with the count of what is missing between them."""
    longest = _mark(len(text), "characters")
    left = room - size(longest)
    if left < 0:
        return GONE
    head = _longest(lambda count: text[:count], len(text), left * 2 // 3)
    tail = _longest(lambda count: text[len(text) - count :], len(text) - head, left // 3)
    missing = _mark(len(text) - head - tail, "characters")
    return text[:head] + missing + text[len(text) - tail :]


def _longest(piece: Callable[[int], str], limit: int, room: int) -> int:
    """Give how many characters of a text take no more than so many bytes between quotation marks."""
    low, high = 0, min(limit, room)
    if size(piece(high)) - 2 <= room:
        return high
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if size(piece(middle)) - 2 <= room else (low, middle - 1)
    return low


def _mark(count: int, what: str) -> str:
    return f"[... {count} {what} left out ...]"


def _cut_object(value: Mapping[str, JSONValue], room: int, depth: int) -> JSONValue | _Gone:
    dots = "..."
    while dots in value:
        dots += "."
    reserve = size({dots: _mark(len(value), "fields")})
    heads = [size(key) + 2 for key in value]
    values = list(value.values())
    kept = _fitted(values, heads, room - reserve, depth)
    if kept is None:
        return GONE
    pairs = zip(value, kept, strict=False)
    shown = {key: item for key, item in pairs if not isinstance(item, _Gone)}
    if len(shown) < len(value):
        shown[dots] = _mark(len(value) - len(shown), "fields")
    return shown


def _cut_array(value: Sequence[JSONValue], room: int, depth: int) -> JSONValue | _Gone:
    reserve = size([_mark(len(value), "items")])
    kept = _fitted(value, [1] * len(value), room - reserve, depth)
    if kept is None:
        return GONE
    shown = [item for item in kept if not isinstance(item, _Gone)]
    if len(shown) < len(value):
        shown.append(_mark(len(value) - len(shown), "items"))
    return shown


def _fitted(
    values: Sequence[JSONValue], heads: Sequence[int], room: int, depth: int
) -> list[JSONValue | _Gone] | None:
    """Give the first values, each cut to its share; ``None`` where there is room for nothing at all."""
    if room < 0:
        return None
    sizes = [size(value) for value in values]
    count, taken = 0, 0
    for head, one in zip(heads, sizes, strict=True):
        taken += head + min(one, _LEAST)
        if taken > room:
            break
        count += 1
    share = level(sizes[:count], room - sum(heads[:count]))
    return [cut(value, share, depth) for value in values[:count]]
