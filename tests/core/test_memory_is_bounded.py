"""No shape of scores takes more than 16 bytes each: measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import resource
from array import array
from gepa_framework._core import Frontier

def resident():
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[1]) * resource.getpagesize()

rows, candidates, covered, kind, objectives = {rows}, {candidates}, {covered}, "{kind}", {objectives}
named = [list(range(first, rows, rows // covered)) for first in range(2)]
values = memoryview(array("d", [0.5] * covered * max(1, objectives))).cast("B")
table = values.cast("d", (covered, objectives)) if objectives else None
scores = array("d", [0.5] * covered)
frontier = Frontier(rows, kind, ["maximize"] * objectives)
frontier.add(scores, named[0], table)
before = resident()
for i in range(1, candidates):
    frontier.add(scores, named[i % 2] if covered < rows else None, table)
frontier.weights()
print((resident() - before) / ((candidates - 1) * covered * (1 + objectives)))
"""
SHAPES = {
    "full-tied": {"rows": 2000, "candidates": 1000, "covered": 2000, "kind": "instance", "objectives": 0},
    "partial-tied": {"rows": 4000, "candidates": 1000, "covered": 2000, "kind": "instance", "objectives": 0},
    "sparse-tied": {"rows": 20_000, "candidates": 4000, "covered": 500, "kind": "instance", "objectives": 0},
    "partial-hybrid": {"rows": 2000, "candidates": 1000, "covered": 1000, "kind": "hybrid", "objectives": 1},
    "partial-cartesian": {
        "rows": 2000,
        "candidates": 500,
        "covered": 1000,
        "kind": "cartesian",
        "objectives": 3,
    },
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_score_takes_16_bytes_at_most(shape):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(**SHAPES[shape])], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) <= 16
