"""What comes nearest to a request that is not known, and the first thing in which it differs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from gepa_framework.types import JSONObject, JSONValue, compact_json

#: How many known requests are looked at; a run that misses ends anyway, and need not take long about it.
MOST: Final = 20_000
_SHOWN: Final = 80
_NOTHING: Final = object()


@attrs.frozen
class Difference:
    """In what two requests differ.

    Attributes:
        path: Where they do so first, such as ``policy.temperature``.
        asked: What is asked there.
        known: What the other asked there.
        places: In how many places they differ.
    """

    path: str
    asked: object
    known: object
    places: int

    def __str__(self) -> str:
        """Give it in words."""
        more = f", and in {self.places - 1} more" if self.places > 1 else ""
        return f"{self.path}: {_shown(self.asked)} is asked, {_shown(self.known)} is known{more}"


def difference(asked: JSONObject, known: JSONObject) -> Difference | None:
    """Compare two outlines; ``None`` where they are equal."""
    ours, theirs = dict(_leaves(asked)), dict(_leaves(known))
    paths = [*ours, *(path for path in theirs if path not in ours)]
    places = [path for path in paths if ours.get(path, _NOTHING) != theirs.get(path, _NOTHING)]
    if not places:
        return None
    first = places[0]
    return Difference(first, ours.get(first, _NOTHING), theirs.get(first, _NOTHING), len(places))


async def nearest(asked: JSONObject, values: AsyncIterator[bytes]) -> str:
    """Say which known request comes nearest, by what it differs.

    Args:
        asked: The outline of what is asked.
        values: What is known, as it was kept.
    """
    best: Difference | None = None
    count = 0
    async for value in values:
        outline = _outline(value)
        if outline is None:
            continue
        count += 1
        found = difference(asked, outline)
        if found is not None and (best is None or found.places < best.places):
            best = found
        if count == MOST:
            break
    if not count:
        return "nothing of the kind is known there"
    return f"the nearest of {count} known requests differs in {best or 'nothing that was noted'}"


def _outline(value: bytes) -> JSONObject | None:
    try:
        found: Any = json.loads(value)["request"]
    except (ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, dict) else None


def _leaves(value: JSONValue, path: str = "") -> Iterator[tuple[str, object]]:
    """Give what stands at each place; where nothing is in a table or a list, nothing stands."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for number, item in enumerate(value):
            yield from _leaves(item, f"{path}[{number}]")
    else:
        yield path, value


def _shown(value: Any) -> str:
    if value is _NOTHING:
        return "nothing"
    text = compact_json(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
