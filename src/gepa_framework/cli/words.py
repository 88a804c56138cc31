"""How numbers and foreign texts are put into words."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_ELLIPSIS = "…"


def score(value: float | None) -> str:
    """Give a score with three digits behind the point."""
    return "unknown" if value is None else f"{value:.3f}"


def stderr_words(value: float | None) -> str:
    """Give a standard error with three digits behind the point."""
    return "unknown" if value is None else f"{value:.3f}"


def with_error(value: float | None, stderr: float | None) -> str:
    """Give a score and, where it is known, its standard error."""
    return score(value) if stderr is None else f"{score(value)} ± {stderr_words(stderr)}"


def dollars(value: float | None) -> str:
    """Give US dollars, where what is unknown is never zero."""
    return "unknown" if value is None else f"${value:,.4f}"


def duration(seconds: float) -> str:
    """Give a duration as ``m:ss`` or ``h:mm:ss``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def count(number: int, noun: str) -> str:
    """Give a number with its noun, such as ``1 row`` or ``1,000 rows``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def clean(text: str) -> str:
    """Take out what could steer a terminal; line breaks and tabs stay."""
    return "".join(
        char if char in "\n\t" or unicodedata.category(char)[0] != "C" else "\ufffd" for char in text
    )


def one_line(text: str, limit: int = 300) -> str:
    """Give a text of others as one line of at most `limit` characters."""
    flat = " ".join(clean(text[: 4 * limit]).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + _ELLIPSIS


def table(rows: Sequence[Sequence[str]], indent: str = "") -> list[str]:
    """Give rows with their columns aligned to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return [f"{indent}{line}".rstrip() for line in padded]
