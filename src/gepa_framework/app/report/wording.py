"""How numbers stand in reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from gepa_framework.app.inspect.candidates import Score

_MINUTE, _HOUR = 60, 3600

VERDICTS: Mapping[str, str] = MappingProxyType(
    {
        "improvement_demonstrated": "Improvement demonstrated",
        "no_measured_improvement": "No measured improvement",
        "inconclusive": "Inconclusive",
    }
)


def points(value: float | None) -> str:
    """Give a score with three digits behind the point."""
    return "-" if value is None else f"{value:.3f}"


def signed(value: float | None) -> str:
    """Give a difference with its sign."""
    return "-" if value is None else f"{value:+.3f}"


def short(value: float | None) -> str:
    """Give a number with as many digits as it needs."""
    return "-" if value is None else f"{value:.4g}"


def chance(value: float | None) -> str:
    """Give a probability with two digits."""
    return "-" if value is None else f"{value:.2g}"


def measured(value: Score | None) -> str:
    """Give a mean with its standard error."""
    if value is None:
        return "-"
    return points(value.score) + (f" ± {value.stderr:.3f}" if value.stderr is not None else "")


def money(value: float | None) -> str:
    """Give US dollars, where what is unknown is never zero."""
    return "unknown" if value is None else f"${value:,.4f}"


def took(seconds: float) -> str:
    """Give a duration in its two largest units."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min {int(seconds % _MINUTE)} s"
    return f"{int(seconds // _HOUR)} h {int(seconds % _HOUR // _MINUTE)} min"


def verdict(value: str) -> str:
    """Give a verdict as a headline."""
    return VERDICTS.get(value, value.replace("_", " "))


def count(value: int) -> str:
    """Give a whole number with its thousands apart."""
    return f"{value:,}"


WORDS: Mapping[str, Callable[[Any], str]] = MappingProxyType(
    {
        "points": points,
        "signed": signed,
        "short": short,
        "chance": chance,
        "measured": measured,
        "money": money,
        "took": took,
        "verdict": verdict,
        "count": count,
    }
)
