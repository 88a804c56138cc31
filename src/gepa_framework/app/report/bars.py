"""What a run took by boundary, as bars."""

from __future__ import annotations

import svg

from gepa_framework.app.inspect.costs import Boundary, Costs
from gepa_framework.app.report import shapes

_ROW = 44
_WIDTH, _NARROW = 820, 350


def cost_bars(costs: Costs, *, narrow: bool = False) -> str:
    """Draw the cost of each boundary; where nothing cost anything, the calls.

    Args:
        costs: The numbers.
        narrow: Draw it for a phone.
    """
    width = _NARROW if narrow else _WIDTH
    priced = costs.known_usd > 0
    most = max((_value(each, priced=priced) for each in costs.boundaries), default=0.0) or 1.0
    elements: list[svg.Element] = []
    for index, each in enumerate(costs.boundaries):
        top = _ROW * index + 16
        told = _told(each)
        elements += [
            shapes.text(0, top, each.boundary.replace("_", " "), style="name"),
            shapes.text(width, top, told, anchor="end", style="value"),
            shapes.box(0, top + 7, width, 9, "rail"),
            shapes.box(
                0,
                top + 7,
                max(width * _value(each, priced=priced) / most, 1.5),
                9,
                "bar" if not each.unpriced else "bar unknown",
                told=f"{each.boundary}: {told}",
            ),
        ]
    height = _ROW * max(len(costs.boundaries), 1)
    label = "Cost by boundary" if priced else "Calls by boundary"
    return shapes.picture(
        width, height, elements, label=label, style=f"bars {'narrow' if narrow else 'wide'}"
    )


def _value(each: Boundary, *, priced: bool) -> float:
    return each.cost_usd if priced else float(each.calls)


def _told(each: Boundary) -> str:
    calls = f"{each.calls:,} call{'s'[: each.calls != 1]}"
    if each.unpriced == each.calls:
        return f"{calls}, cost unknown"
    some = f", {each.unpriced:,} unpriced" if each.unpriced else ""
    return f"{calls}, ${each.cost_usd:,.4f}{some}"
