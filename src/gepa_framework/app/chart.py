"""The score chart: best mean reward over rollouts, as a small picture without dependencies."""

from __future__ import annotations

from collections.abc import Sequence

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 640, 320, 60, 40, 20, 50


def score_chart(points: Sequence[tuple[int, float]], rollouts: int) -> str:
    """Give the chart as SVG.

    Args:
        points: Rollouts used and best score from there on, in order.
        rollouts: Rollouts of the search in all, where the line ends.
    """
    scores = [score for _, score in points] or [0.0]
    low, high = min(scores), max(scores)
    span = (high - low) or 1.0
    last = max(rollouts, points[-1][0] if points else 0, 1)

    def place(used: int, score: float) -> str:
        x = _LEFT + (_WIDTH - _LEFT - _RIGHT) * used / last
        y = _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * (score - low) / span
        return f"{x:.1f},{y:.1f}"

    steps: list[str] = []
    for index, (used, score) in enumerate(points):
        if index:
            steps.append(place(used, points[index - 1][1]))
        steps.append(place(used, score))
    if points:
        steps.append(place(last, points[-1][1]))
    line = f'<polyline fill="none" stroke="#0072b2" stroke-width="2" points="{" ".join(steps)}"/>'
    return _frame(line, f"{low:.3f}", f"{high:.3f}", str(last))


def _frame(line: str, low: str, high: str, last: str) -> str:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    text = '<text font-family="sans-serif" font-size="12" x="{}" y="{}" text-anchor="{}">{}</text>'
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
            "<title>Best score on the Pareto rows over rollouts</title>",
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
            f'<path d="M{_LEFT},{_TOP} V{bottom} H{right}" fill="none" stroke="#444"/>',
            line,
            text.format(_LEFT - 8, bottom, "end", low),
            text.format(_LEFT - 8, _TOP + 4, "end", high),
            text.format(right, bottom + 18, "end", last),
            text.format((_LEFT + right) // 2, _HEIGHT - 12, "middle", "rollouts"),
            text.format(_WIDTH // 2, 20, "middle", "best score on the Pareto rows"),
            "</svg>\n",
        )
    )
