"""Edits of a text: each finds its piece exactly once, or says how often it did not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gepa_framework.types import Edit

#: Occurrences are counted up to here: enough to see what is wrong, and quick on any text.
_COUNTED: Final = 100
_SHOWN: Final = 80


class EditError(ValueError):
    """An edit cannot be applied; the message is fit to be sent back to whoever made it."""


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """Give the text with every edit made, in their order.

    Raises:
        EditError: An edit has no piece to search for, or its piece does not occur exactly once in the text as
            the edits before it have left it.
    """
    for number, edit in enumerate(edits, start=1):
        text = _applied(text, edit, f"edit {number} of {len(edits)}")
    return text


def _applied(text: str, edit: Edit, name: str) -> str:
    for field in ("search", "replace"):
        if not isinstance(value := getattr(edit, field), str):
            raise EditError(f"{name}: {field} is {type(value).__name__}, not a string")
    if not edit.search:
        raise EditError(f"{name}: there is nothing to search for")
    found = _occurrences(text, edit.search)
    if len(found) != 1:
        times = f"{len(found)} times" + (" or more" if len(found) == _COUNTED else "")
        raise EditError(f"{name} must find its piece exactly once, and {shown(edit.search)} occurs {times}")
    return text[: found[0]] + edit.replace + text[found[0] + len(edit.search) :]


def _occurrences(text: str, piece: str) -> list[int]:
    """Give where the piece begins; such that overlap count, for they leave open which one is meant."""
    found: list[int] = []
    place = text.find(piece)
    while place >= 0 and len(found) < _COUNTED:
        found.append(place)
        place = text.find(piece, place + 1)
    return found


def shown(piece: str) -> str:
    """Give a piece of text as a message quotes it: in one line, and no longer than a line."""
    if len(piece) <= _SHOWN:
        return repr(piece)
    return f"{piece[:_SHOWN]!r}... ({len(piece)} characters)"
