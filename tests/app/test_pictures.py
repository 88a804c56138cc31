"""Pictures are well formed, stay in their frame, and say what the numbers say."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gepa_framework.app.inspect.costs import Boundary, Costs
from gepa_framework.app.inspect.curve import Curve, Point
from gepa_framework.app.inspect.frontier import Frontier, Heatmap
from gepa_framework.app.report import heat
from gepa_framework.app.report.bars import cost_bars
from gepa_framework.app.report.chart import chart_file, score_chart
from gepa_framework.app.report.heat import cells_of, draw_cells
from gepa_framework.app.report.shapes import Scale, harmless, ticks

scores = st.floats(-1e9, 1e9, allow_nan=False)
points = st.lists(st.tuples(st.integers(0, 10**6), scores, st.none() | st.floats(0, 1e6)), max_size=12).map(
    lambda some: [Point(used, "gepa_a", best, best, stderr) for used, best, stderr in sorted(some, key=str)]
)


def numbers(text):
    return [float(each) for each in re.findall(r"-?\d+(?:\.\d+)?", text)]


@given(points, st.integers(0, 10**6))
def test_a_chart_is_well_formed_and_stays_in_its_frame(some, rollouts):
    root = ET.fromstring(chart_file(Curve.of(some, rollouts)))
    _, _, width, height = numbers(root.get("viewBox"))
    for path in root.iter("{http://www.w3.org/2000/svg}path"):
        places = numbers(path.get("d"))
        assert all(0 <= x <= width for x in places[::2])
        assert all(0 <= y <= height for y in places[1::2])


def test_the_line_steps_up_where_a_better_candidate_joins():
    curve = Curve.of([Point(10, "a", 0.2, 0.2, None), Point(60, "b", 0.8, 0.8, 0.1)], 100)
    drawn = score_chart(curve)
    line = numbers(re.search(r'd="([^"]+)" class="best"|class="best" d="([^"]+)"', drawn)[0])
    heights = line[1::2]
    assert len(heights) == 4
    assert heights[0] == heights[1] > heights[2] == heights[3]
    assert line[0::2] == sorted(line[0::2])


def test_the_same_numbers_give_the_same_bytes():
    curve = Curve.of([Point(10, "a", 0.2, 0.2, 0.01)], 100)
    assert chart_file(curve) == chart_file(curve)


def test_a_chart_of_nothing_says_so():
    assert "no candidate is evaluated yet" in score_chart(Curve.of([], 0))


@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12), st.integers(1, 10))
def test_ticks_are_few_and_enclose_their_range(one, other, count):
    low, high = min(one, other), max(one, other)
    found = ticks(low, high, count)
    assert 2 <= len(found) <= count + 3
    assert found == sorted(found)
    slack = max(abs(low), abs(high)) * 1e-9 + 1e-9
    assert found[0] <= low + slack
    assert found[-1] >= high - slack


@pytest.mark.parametrize(("low", "high"), [(0, 0), (math.inf, math.inf), (-1e308, 1e308), (0, 5e-324)])
def test_ticks_of_an_odd_range_are_there_all_the_same(low, high):
    found = ticks(0.0 if math.isinf(low) else low, 0.0 if math.isinf(high) else high, 5)
    assert found[0] < found[-1]


def test_what_is_outside_a_scale_stands_at_its_edge():
    scale = Scale(0, 1, 10, 20)
    assert [scale.at(value) for value in (-5, 0.5, 7)] == [10, 15, 20]


def test_a_text_of_others_is_harmless_in_a_picture():
    assert harmless('<b x="1">&\x00\x1b\u202e\ud800') == "&lt;b x=&quot;1&quot;&gt;&amp;" + "\ufffd" * 4


def frontier(cells, members):
    return Frontier(cells, members[:1], members)


def test_a_map_frames_whoever_is_best_but_not_where_all_are():
    cells = {"r1": ("a",), "r2": ("a", "b"), "r3": ("a", "b", "c")}
    members = ("a", "b", "c")
    front = frontier(cells, members)
    drawn = Heatmap(tuple(cells), members, ((1.0, 1.0, 0.0), (0.5, 1.0, 0.0), (None, 0.0, 0.0)))
    text = draw_cells(cells_of(drawn, front, "a"), front, "a")
    assert text.count(" own") == 1
    assert text.count(" tie") == 2
    assert "a, row r1: 1, alone the best" in text
    assert "c, row r1: no score" in text


def test_of_a_large_map_the_best_is_never_left_out(monkeypatch):
    monkeypatch.setattr(heat, "MOST_CANDIDATES", 2)
    monkeypatch.setattr(heat, "MOST_ROWS", 1)
    members = ("old", "second", "third", "new")
    front = Frontier({"r": ("second",)}, ("second",), members)
    found = cells_of(Heatmap(("r", "s"), members, ((0.0, 0.0),) * 4), front, "old")
    assert found.candidates == ("old", "second")
    assert (found.hidden_candidates, found.hidden_rows) == (2, 1)


def test_bars_show_the_cost_and_where_there_is_none_the_calls():
    dear, cheap = Boundary("proposal", 2, 0, 3.0, 0), Boundary("rollout: heldout", 8, 1, 1.0, 0)
    priced = cost_bars(Costs(None, 4.0, (dear, cheap)))
    assert "Cost by boundary" in priced
    assert "8 calls, $1.0000, 1 unpriced" in priced
    widths = [
        float(each)
        for each in re.findall(
            r'width="([\d.]+)"[^>]*class="bar|class="bar[^"]*"[^>]*width="([\d.]+)"', priced
        )[0]
        if each
    ]
    assert widths
    free = cost_bars(Costs(0.0, 0.0, (Boundary("proposal", 2, 0, 0.0, 0),)))
    assert "Calls by boundary" in free


def test_a_cost_that_nobody_knows_is_not_called_zero():
    assert "2 calls, cost unknown" in cost_bars(Costs(None, 0.0, (Boundary("proposal", 2, 2, 0.0, 0),)))
