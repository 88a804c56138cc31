"""The score over the rollouts: the best one as steps with its error, and everybody who joined as a dot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
import svg

from gepa_framework.app.inspect.curve import Curve, Point
from gepa_framework.app.report import shapes
from gepa_framework.app.report.shapes import Scale

_LABEL = "Best score on the Pareto rows over rollouts"
#: Beyond so many points their dots are small.
_MANY = 80
#: The file beside a run stands alone, so it brings its own colours.
_STANDALONE = """
svg{--ink:#1f2733;--soft:#667085;--grid:#e4e7ec;--accent:#2563eb;--paper:#fff;
font:13px system-ui,sans-serif;background:var(--paper)}
@media(prefers-color-scheme:dark){svg{--ink:#e6e9ef;--soft:#98a2b3;--grid:#2b3341;--accent:#7aa2ff;--paper:#12161d}}
text{fill:var(--soft)}text.head{fill:var(--ink);font-weight:600}.grid{stroke:var(--grid)}
.axis{stroke:var(--soft)}.best{fill:none;stroke:var(--accent);stroke-width:2.5}
.band{fill:var(--accent);opacity:.16}.dot{fill:var(--accent)}.other{fill:none;stroke:var(--soft)}
"""


@attrs.frozen
class Frame:
    """Where the picture is.

    Attributes:
        width: In pixels.
        height: In pixels.
        top: Room above the plot.
    """

    width: float
    height: float
    top: float = 12


def score_chart(curve: Curve, *, narrow: bool = False) -> str:
    """Give the chart for a page, whose style sheet colours it.

    Args:
        curve: The numbers.
        narrow: Draw it for a phone.
    """
    frame = Frame(370, 250) if narrow else Frame(860, 320)
    style = "chart narrow" if narrow else "chart wide"
    return shapes.picture(frame.width, frame.height, list(_drawn(curve, frame)), label=_LABEL, style=style)


def chart_file(curve: Curve) -> str:
    """Give the content of ``score_chart.svg``, which needs no style sheet."""
    frame = Frame(720, 360, 44)
    head = shapes.text(16, 24, _LABEL, style="head")
    elements: list[svg.Element] = [svg.Style(text=_STANDALONE), head, *_drawn(curve, frame)]
    return shapes.picture(frame.width, frame.height, elements, label=_LABEL, style="chart", alone=True) + "\n"


def _drawn(curve: Curve, frame: Frame) -> Iterator[svg.Element]:
    if not curve.points:
        yield shapes.text(frame.width / 2, frame.height / 2, "no candidate is evaluated yet", anchor="middle")
        return
    last = max(curve.rollouts, 1)
    across = [each for each in shapes.ticks(0, last, max(int(frame.width / 120), 2)) if each <= last]
    up = shapes.ticks(*_range(curve.points), max(int(frame.height / 60), 2))
    x = Scale(0, last, 52, frame.width - 26)
    y = Scale(up[0], up[-1], frame.height - 40, frame.top)
    yield from _axes(x, y, across, up)
    yield shapes.text((x.start + x.end) / 2, frame.height - 6, "rollouts", anchor="middle")
    yield from _band(curve, x, y)
    yield shapes.trace(list(_steps(curve, x, y)), "best")
    radius = 4 if len(curve.points) <= _MANY else 2
    yield from (_dot(point, x, y, radius) for point in curve.points)


def _range(points: Sequence[Point]) -> tuple[float, float]:
    values = [point.best for point in points] + [point.score for point in points if point.score is not None]
    errors = [(point.best, point.stderr) for point in points if point.stderr is not None]
    values += [best + sign * stderr for best, stderr in errors for sign in (-1, 1)]
    return min(values), max(values)


def _axes(x: Scale, y: Scale, across: Sequence[float], up: Sequence[float]) -> Iterator[svg.Element]:
    for value in up:
        yield shapes.line((x.start, y.at(value)), (x.end, y.at(value)), "grid")
        yield shapes.text(x.start - 8, y.at(value) + 4, f"{value:g}", anchor="end")
    yield shapes.line((x.start, y.start), (x.end, y.start), "axis")
    for value in across:
        yield shapes.text(x.at(value), y.start + 18, f"{value:,g}", anchor="middle")


def _ends(curve: Curve) -> Iterator[tuple[Point, int]]:
    """Give each point with where its step ends."""
    for point, later in zip(curve.points, (*curve.points[1:], None), strict=True):
        yield point, later.rollouts if later else curve.rollouts


def _steps(curve: Curve, x: Scale, y: Scale) -> Iterator[tuple[float, float]]:
    for point, end in _ends(curve):
        yield x.at(point.rollouts), y.at(point.best)
        yield x.at(end), y.at(point.best)


def _band(curve: Curve, x: Scale, y: Scale) -> Iterator[svg.Element]:
    above: list[tuple[float, float]] = []
    below: list[tuple[float, float]] = []
    for point, end in _ends(curve):
        error = point.stderr or 0.0
        for at in (point.rollouts, end):
            above.append((x.at(at), y.at(point.best + error)))
            below.append((x.at(at), y.at(point.best - error)))
    yield shapes.trace([*above, *reversed(below)], "band", closed=True)


def _dot(point: Point, x: Scale, y: Scale, radius: float) -> svg.Element:
    leads = point.score is not None and point.score >= point.best
    told = "unknown" if point.score is None else f"{point.score:.3f}"
    height = y.at(point.best if point.score is None else point.score)
    style = "dot" if leads else "other"
    return shapes.dot(x.at(point.rollouts), height, radius, style, told=f"{point.candidate_id}: {told}")
