"""Which deaths are tried: spread over all that a run passes, in its resume, and at random instants."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence

import attrs
from tests.durability.sweep.sweep import Point, Sweep

#: Shares of single deaths and of second deaths, in percent; the rest dies at random instants.
_SINGLE, _SECOND = 70, 25
#: Where the run dies first, as shares of its points: the resumes of these are killed in turn. At the very
#: end it is finished, and what is killed only writes its exports again.
_FIRST = (0.05, 0.5, 0.8, 1.0)


@attrs.frozen
class Case:
    """One death, or two.

    Attributes:
        scenario: The run.
        points: Where it dies, one after the other.
        killed_after: Seconds after which it dies, wherever that is.
        state: The state that was kept after the first of two points.
    """

    scenario: str
    points: tuple[Point, ...] = ()
    killed_after: float | None = None
    state: str = "beginning"

    def __str__(self) -> str:
        """Give what reproduces it; a random instant only nearly does."""
        after = "" if self.killed_after is None else f"after {self.killed_after:.6f} s"
        return f"{self.scenario}/{after or ','.join(self.points)}"


def cases(sweep: Sweep, count: int, *, seed: int = 0) -> Iterator[Case]:
    """Give as many deaths as asked for, as far as there are different ones.

    Args:
        sweep: The scenario.
        count: How many.
        seed: Of the random instants.
    """
    single = count * _SINGLE // 100
    for point in _spread(sweep.points, single):
        yield Case(sweep.name, (point,))
    yield from _second(sweep, count * _SECOND // 100)
    began = time.perf_counter()
    sweep.check(())
    seconds = time.perf_counter() - began
    lots = random.Random(seed)
    for _ in range(count - single - count * _SECOND // 100):
        yield Case(sweep.name, killed_after=lots.uniform(0, seconds))


def _second(sweep: Sweep, count: int) -> Iterator[Case]:
    for number, share in enumerate(_FIRST):
        first = sweep.points[round(share * (len(sweep.points) - 1))]
        wanted = (count + number) // len(_FIRST)
        for point in _spread(sweep.resume_points(first), wanted):
            yield Case(sweep.name, (first, point), state=first)


def _spread(points: Sequence[Point], count: int) -> Iterator[Point]:
    """Give points of all parts; each place is passed for the first time in one of them, if there is room."""
    first = [point for point in points if point.endswith(":1")]
    rest = [point for point in points if not point.endswith(":1")]
    chosen = first[:count]
    left = min(count - len(chosen), len(rest))
    yield from chosen
    yield from (rest[number * len(rest) // left] for number in range(left))
