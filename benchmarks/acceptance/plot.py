"""A scatter plot as SVG, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM = 760, 420, 60, 50
PLOT_WIDTH, PLOT_HEIGHT = 400, 340
MOST_FALSE, MOST_TRUE = 0.5, 0.8
COLOURS = ("#d62728", "#ff9896", "#ff9896", "#aec7e8", "#aec7e8", "#1f77b4", "#1f77b4")

Place = tuple[str, float, float, float]


def _x(false: float) -> float:
    return LEFT + PLOT_WIDTH * false / MOST_FALSE


def _y(true: float) -> float:
    return HEIGHT - BOTTOM - PLOT_HEIGHT * true / MOST_TRUE


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(text)}</text>'


def _line(x: float, y: float, to_x: float, to_y: float, colour: str) -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{colour}"/>'


def _axes() -> list[str]:
    lines = []
    for tenth in range(6):
        at = tenth / 10
        lines.append(_line(_x(at), _y(0), _x(at), _y(MOST_TRUE), "#eeeeee"))
        lines.append(_text(_x(at), _y(0) + 18, f"{at:.0%}", 'text-anchor="middle"'))
    for tenth in range(0, 9, 2):
        at = tenth / 10
        lines.append(_line(_x(0), _y(at), _x(MOST_FALSE), _y(at), "#eeeeee"))
        lines.append(_text(_x(0) - 8, _y(at) + 4, f"{at:.0%}", 'text-anchor="end"'))
    lines.append(_line(_x(0), _y(0), _x(MOST_FALSE), _y(MOST_FALSE), "#999999"))
    middle = f'text-anchor="middle" transform="rotate(-90 16 {_y(0.4):.0f})"'
    lines.append(_text(_x(0.25), HEIGHT - 12, "no better, yet accepted", 'text-anchor="middle"'))
    lines.append(_text(16, _y(0.4), "better by 0.10, and accepted", middle))
    return lines


def draw(places: Sequence[Place]) -> str:
    """Draw each place: label, false accepts, true accepts, rollouts per decision."""
    lines = _axes()
    for number, ((label, false, true, rollouts), colour) in enumerate(
        zip(places, COLOURS, strict=True), start=1
    ):
        lines.append(f'<circle cx="{_x(false):.1f}" cy="{_y(true):.1f}" r="9" fill="{colour}"/>')
        lines.append(_text(_x(false), _y(true) + 4, str(number), 'text-anchor="middle" fill="white"'))
        height = 40 + 34 * number
        lines.append(_text(LEFT + PLOT_WIDTH + 20, height, f"{number}  {label}"))
        lines.append(_text(LEFT + PLOT_WIDTH + 34, height + 14, f"{rollouts:.0f} rollouts", 'fill="#666666"'))
    body = "\n".join(lines)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
    paper = '<rect width="100%" height="100%" fill="white"/>'
    return f'{head} font-family="sans-serif" font-size="12">\n{paper}\n{body}\n</svg>\n'
