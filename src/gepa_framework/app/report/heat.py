"""The rewards of the pool on the Pareto rows, as a map of cells; who is best on a row has a frame there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
import svg

from gepa_framework.app.inspect.frontier import Frontier, Heatmap
from gepa_framework.app.report import shapes

#: So many are drawn; `gepa report --json` has all.
MOST_CANDIDATES, MOST_ROWS = 30, 120
_LEFT, _TOP, _LEVELS, _NAMED = 136, 24, 8, 6


@attrs.frozen
class Cells:
    """The part of a map that is drawn.

    Attributes:
        rows: Rows, as columns.
        candidates: Candidates, as lines.
        rewards: By line and column.
        low: Lowest reward.
        high: Highest reward.
        hidden_rows: Rows left out.
        hidden_candidates: Candidates left out.
    """

    rows: tuple[str, ...]
    candidates: tuple[str, ...]
    rewards: tuple[tuple[float | None, ...], ...]
    low: float
    high: float
    hidden_rows: int
    hidden_candidates: int


def cells_of(heatmap: Heatmap, frontier: Frontier, best: str) -> Cells:
    """Choose what is drawn: the best, then the frontier, then the latest; and the first rows."""
    order = sorted(
        range(len(heatmap.candidates)),
        key=lambda index: (
            heatmap.candidates[index] != best,
            heatmap.candidates[index] not in frontier.survivors,
            -index,
        ),
    )
    kept = sorted(order[:MOST_CANDIDATES])
    rewards = tuple(heatmap.rewards[index][:MOST_ROWS] for index in kept)
    known = [shapes.bounded(each) for line in rewards for each in line if each is not None]
    return Cells(
        rows=heatmap.rows[:MOST_ROWS],
        candidates=tuple(heatmap.candidates[index] for index in kept),
        rewards=rewards,
        low=min([*known, 0.0]),
        high=max([*known, 1.0]),
        hidden_rows=max(len(heatmap.rows) - MOST_ROWS, 0),
        hidden_candidates=len(heatmap.candidates) - len(kept),
    )


def draw_cells(cells: Cells, frontier: Frontier, best: str) -> str:
    """Draw the map."""
    side = min(max(704 / max(len(cells.rows), 1), 9), 26)
    tall = max(side, 16)
    width, height = _LEFT + side * len(cells.rows) + 4, _TOP + tall * len(cells.candidates) + 4
    elements = [
        *_columns(cells.rows, side),
        *_names(cells.candidates, frontier, best, tall),
        *_cells(cells, frontier, side, tall),
    ]
    return shapes.picture(width, height, elements, label="Rewards on the Pareto rows", style="heat")


def _columns(rows: Sequence[str], side: float) -> Iterator[svg.Element]:
    every = max(round(40 / side), 1)
    for index, row in enumerate(rows):
        if index % every == 0:
            shown = row if len(row) <= _NAMED else row[: _NAMED - 1] + "…"
            yield shapes.text(_LEFT + side * (index + 0.5), _TOP - 8, shown, anchor="middle")


def _names(candidates: Sequence[str], frontier: Frontier, best: str, tall: float) -> Iterator[svg.Element]:
    for index, name in enumerate(candidates):
        style = "name best" if name == best else "name front" if name in frontier.survivors else "name"
        yield shapes.text(_LEFT - 8, _TOP + tall * (index + 0.5) + 4, name, anchor="end", style=style)


def _cells(cells: Cells, frontier: Frontier, side: float, tall: float) -> Iterator[svg.Element]:
    owners, pool = frontier.cells, frontier.members
    for line, name in enumerate(cells.candidates):
        for column, (row, reward) in enumerate(zip(cells.rows, cells.rewards[line], strict=True)):
            style = f"cell {_level(reward, cells)}"
            wins = owners.get(row, ())
            told = f"{name}, row {row}: {'no score' if reward is None else f'{reward:.4g}'}"
            # Where nobody is better than anybody there is nothing to point at.
            if name in wins and len(wins) < len(pool):
                style += " own" if len(wins) == 1 else " tie"
                told += ", alone the best" if len(wins) == 1 else f", best with {len(wins) - 1} more"
            x, y = _LEFT + side * column, _TOP + tall * line
            yield shapes.box(x + 0.5, y + 0.5, side - 1, tall - 1, style, told=told)


def _level(reward: float | None, cells: Cells) -> str:
    if reward is None:
        return "none"
    share = (shapes.bounded(reward) - cells.low) / (cells.high - cells.low)
    return f"v{min(int(share * _LEVELS), _LEVELS - 1)}"
