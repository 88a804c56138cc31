"""What all pictures are drawn with: elements of svg.py whose texts are made harmless, scales and ticks.

svg.py writes texts as they are given. Every text of others goes through `text` or `tip`, and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Literal

import attrs
import svg

from gepa_framework.app.report.cleaning import cleaned

Anchor = Literal["start", "middle", "end"]
#: Beyond this a label is cut; the tip has all of it.
_LABEL = 64
#: Numbers that are nearer to one another are one number on an axis.
_SAME = 1e-9
_HUGE = 1e300


def harmless(text: str) -> str:
    """Give a text as it may stand in a picture: escaped, and without characters that XML does not know."""
    return escape(cleaned(text))


def text(x: float, y: float, content: str, *, anchor: Anchor = "start", style: str = "") -> svg.Text:
    """Give a label."""
    shown = content if len(content) <= _LABEL else content[: _LABEL - 1] + "…"
    return svg.Text(
        x=_px(x), y=_px(y), text=harmless(shown), text_anchor=anchor, class_=style.split() or None
    )


def tip(content: str) -> svg.Title:
    """Give what is shown when a pointer rests on an element, and read out where nothing is seen."""
    return svg.Title(text=harmless(content))


def line(start: tuple[float, float], end: tuple[float, float], style: str) -> svg.Line:
    """Give a straight line."""
    return svg.Line(x1=_px(start[0]), y1=_px(start[1]), x2=_px(end[0]), y2=_px(end[1]), class_=[style])


def box(x: float, y: float, width: float, height: float, style: str, *, told: str = "") -> svg.Rect:
    """Give a rectangle."""
    return svg.Rect(
        x=_px(x),
        y=_px(y),
        width=_px(width),
        height=_px(height),
        class_=style.split(),
        elements=[tip(told)] if told else None,
    )


def dot(x: float, y: float, radius: float, style: str, *, told: str = "") -> svg.Circle:
    """Give a dot."""
    return svg.Circle(
        cx=_px(x), cy=_px(y), r=radius, class_=style.split(), elements=[tip(told)] if told else None
    )


def trace(points: Sequence[tuple[float, float]], style: str, *, closed: bool = False) -> svg.Path:
    """Give a line through points, or the area inside it."""
    commands: list[svg.PathData] = [
        svg.L(_px(x), _px(y)) if index else svg.M(_px(x), _px(y)) for index, (x, y) in enumerate(points)
    ]
    return svg.Path(d=[*commands, *([svg.Z()] if closed else [])], class_=[style])


def curl(start: tuple[float, float], end: tuple[float, float], style: str) -> svg.Path:
    """Give a line that leaves downwards and arrives from the left."""
    commands: list[svg.PathData] = [
        svg.M(_px(start[0]), _px(start[1])),
        svg.Q(_px(start[0]), _px(end[1]), _px(end[0]), _px(end[1])),
    ]
    return svg.Path(d=commands, class_=[style])


def picture(
    width: float,
    height: float,
    elements: Sequence[svg.Element],
    *,
    label: str,
    style: str,
    alone: bool = False,
) -> str:
    """Give a picture that fits into any width.

    Args:
        width: Its width at full size, in pixels.
        height: Its height.
        elements: What is on it.
        label: What it shows, for whoever does not see it.
        style: Classes.
        alone: Whether it is a file of its own, which has to name its namespace.
    """
    drawn = svg.SVG(
        xmlns="http://www.w3.org/2000/svg" if alone else None,
        viewBox=svg.ViewBoxSpec(0, 0, _px(width), _px(height)),
        class_=style.split(),
        elements=[tip(label), *elements],
        extra={"role": "img"},
    )
    return drawn.as_str()


@attrs.frozen
class Scale:
    """Where a number stands on an axis.

    Attributes:
        low: Number at `start`.
        high: Number at `end`; another one than `low`.
        start: Pixel of the lowest number.
        end: Pixel of the highest number.
    """

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Give the pixel of a number; what is outside stands at the edge."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + (self.end - self.start) * min(max(share, 0.0), 1.0)


def bounded(value: float) -> float:
    """Give a number that differences can be taken of without an overflow."""
    return min(max(value, -_HUGE), _HUGE)


def ticks(low: float, high: float, count: int) -> list[float]:
    """Give round numbers that a range lies between, about so many of them."""
    low, high = bounded(low), bounded(high)
    span = high - low
    if span <= max(abs(low), abs(high), 1.0) * _SAME:
        span = abs(low) if abs(low) > _SAME else 1.0
        high = low + span
    raw = span / max(count, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def _px(value: float) -> float:
    return round(value, 1)
