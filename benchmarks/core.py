"""The C++ core beside the reference, in one run: medians of CPU time.

A selection takes about a microsecond, less than reading the CPU clock does: it is timed by the monotonic one.

The reference is `gepa` 0.1.4; what is measured of it is the path that its default selector takes. Ours is
measured after each add, so that nothing is answered from memory. The last line is JSON:

* ``select_binary_ratio``: the reference's selection over ours, 1000 candidates by 500 rows, 0/1 scores.
* ``select_tied_ratio``: the same, all scores equal.
* ``select_flatness``: our selection after an add at 10,000 candidates over that at 100, 500 rows, the worst
  of 0/1, five-graded and continuous scores.
* ``add_ms``: adding a candidate with 5,000 scores to a pool of 3,000.
* ``merge_ms``: proposing a merge and its check rows at 3,000 candidates by 5,000 rows.
* ``lineage_ms``: all ancestors, and a merge, in a lineage 100,000 deep.
* ``rss_mb``: what memory grows by for 1,000 candidates by 5,000 rows, 0/1 scores.
"""

from __future__ import annotations

import gc
import json
import random
import resource
import statistics
import time
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

from gepa_framework._core import (
    STREAM_MERGE,
    STREAM_SELECTION,
    Frontier,
    Lineage,
    Merger,
    Rng,
    check_rows,
    select,
)

ROWS = 500
Draw = Callable[[random.Random, int], array]


def binary(rng: random.Random, rows: int) -> array:
    """Give 0/1 scores."""
    bits = rng.getrandbits(rows)
    return array("d", [bits >> i & 1 for i in range(rows)])


def graded(rng: random.Random, rows: int) -> array:
    """Give scores of five grades."""
    return array("d", [i / 4 for i in rng.choices(range(5), k=rows)])


def continuous(rng: random.Random, rows: int) -> array:
    """Give scores that hardly ever tie."""
    return array("d", [rng.random() for _ in range(rows)])


def tied(_rng: random.Random, rows: int) -> array:
    """Give scores that are all alike."""
    return array("d", [0.5] * rows)


def cpu_ms(work: Callable[[], object]) -> float:
    """Give the CPU milliseconds that a call takes."""
    start = time.process_time_ns()
    work()
    return (time.process_time_ns() - start) / 1e6


def median_ms(work: Callable[[], object], times: int) -> float:
    """Give the median CPU milliseconds of a call."""
    return statistics.median(cpu_ms(work) for _ in range(times))


def pool(draw: Draw, candidates: int, rows: int = ROWS) -> tuple[Frontier, random.Random]:
    """Give a frontier with so many candidates."""
    rng, frontier = random.Random(1), Frontier(rows)
    for _ in range(candidates):
        frontier.add(draw(rng, rows))
    return frontier, rng


def selection_us(draw: Draw, candidates: int, times: int = 400) -> float:
    """Give the median microseconds of a selection straight after an add."""
    frontier, rng = pool(draw, candidates)
    taken = []
    for i in range(times):
        frontier.add(draw(rng, ROWS))
        stream = Rng(1, STREAM_SELECTION, i)
        start = time.perf_counter_ns()
        select(frontier, "pareto", stream)
        taken.append(time.perf_counter_ns() - start)
    return statistics.median(taken) / 1e3


def reference_ms(draw: Draw, candidates: int, times: int) -> float:
    """Give the median CPU milliseconds of the reference's selection."""
    from gepa.gepa_utils import select_program_candidate_from_pareto_front

    rng = random.Random(1)
    scores = [draw(rng, ROWS) for _ in range(candidates)]
    best = [max(row[i] for row in scores) for i in range(ROWS)]
    fronts = {i: {c for c, row in enumerate(scores) if row[i] == best[i]} for i in range(ROWS)}
    means = [sum(row) / ROWS for row in scores]
    return median_ms(lambda: select_program_candidate_from_pareto_front(fronts, means, rng), times)


def ratio(draw: Draw, times: int) -> float:
    """Give the reference's selection over ours."""
    ours, theirs = selection_us(draw, 1000), reference_ms(draw, 1000, times)
    print(f"select {draw.__name__:10} 1000 x {ROWS}: {ours:8.2f} us, reference {theirs:9.2f} ms")
    return theirs * 1e3 / ours


def flatness(draw: Draw) -> float:
    """Give our selection in a large pool over that in a small one: the median of rounds that alternate."""
    small, large = [], []
    for _ in range(3):
        small.append(selection_us(draw, 100))
        large.append(selection_us(draw, 10_000))
    few, many = statistics.median(small), statistics.median(large)
    print(f"select {draw.__name__:10} {few:8.2f} us at 100 candidates, {many:8.2f} us at 10,000")
    return many / few


def add_ms() -> float:
    """Give the median of adding 5,000 scores to a pool of 3,000, 0/1 scores."""
    frontier, rng = pool(binary, 3000, 5000)
    rows = [binary(rng, 5000) for _ in range(100)]
    return statistics.median(cpu_ms(lambda row=row: frontier.add(row)) for row in rows)


def merge_ms() -> float:
    """Give the median of a merge proposal straight after an add, with its check rows."""
    frontier, rng = pool(binary, 3000, 5000)
    lineage = Lineage()
    for i in range(3000):
        lineage.add([rng.randrange(i)] if i else [], [rng.randrange(3), rng.randrange(3)])
    merger, taken, found = Merger(), [], 0
    for i in range(100):
        frontier.add(binary(rng, 5000))
        lineage.add([rng.randrange(len(lineage))], [rng.randrange(3), rng.randrange(3)])
        start = time.process_time_ns()
        stream = Rng(1, STREAM_MERGE, i)
        merge = merger.propose(frontier, lineage, stream)
        if merge:
            check_rows(frontier, merge.first, merge.second, stream)
        taken.append((time.process_time_ns() - start) / 1e6)
        found += merge is not None
    print(f"merge: {found} of {len(taken)} proposals found, worst {max(taken):.3f} ms")
    return statistics.median(taken)


def lineage_ms() -> float:
    """Give the median of walking a lineage 100,000 deep and merging its two leaves."""
    depth, lineage, frontier = 100_000, Lineage(), Frontier(2)
    for i in range(depth):
        lineage.add([i - 1] if i else [], [0, 0])
        frontier.add([0, 0])
    for texts, scores in (([1, 0], [2, 1]), ([0, 1], [1, 2])):
        lineage.add([depth - 1], texts)
        frontier.add(scores)

    def walk() -> None:
        lineage.ancestors(depth)
        if Merger().propose(frontier, lineage, Rng(1, STREAM_MERGE, 0), overlap=2) is None:
            raise AssertionError("the two leaves were not merged")

    return median_ms(walk, 21)


def resident_mb() -> float:
    """Give the memory that is in use."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def rows_to_hold(count: int) -> Iterator[array]:
    """Give rows of 0/1 scores, one at a time."""
    rng = random.Random(1)
    return (binary(rng, 5000) for _ in range(count))


def rss_mb() -> float:
    """Give what memory grows by for 5,000,000 scores."""
    sum(row[0] for row in rows_to_hold(10))
    gc.collect()
    before, frontier = resident_mb(), Frontier(5000)
    for row in rows_to_hold(1000):
        frontier.add(row)
    frontier.weights()
    return resident_mb() - before


def main() -> None:
    """Measure and print the figures."""
    figures = {
        "rss_mb": rss_mb(),  # first: memory that later measurements freed would be taken again
        "select_binary_ratio": ratio(binary, 7),
        "select_tied_ratio": ratio(tied, 1),
        "select_flatness": max(flatness(draw) for draw in (binary, graded, continuous)),
        "add_ms": add_ms(),
        "merge_ms": merge_ms(),
        "lineage_ms": lineage_ms(),
    }
    print(json.dumps({name: round(figure, 4) for name, figure in figures.items()}))


if __name__ == "__main__":
    main()
