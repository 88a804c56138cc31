"""Making texts of others fit to be shown: they may hold anything."""

from __future__ import annotations

import unicodedata

_KEPT = "\n\t"


def cleaned(text: str) -> str:
    """Take out what could steer a terminal or the direction of writing, and what no file can hold."""
    return "".join(
        char if char in _KEPT or unicodedata.category(char)[0] != "C" else "\ufffd" for char in text
    )
