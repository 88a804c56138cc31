"""Runs under a wall clock that jumps an hour back and forth; prints what is wrong, and figures.

What is asked for the time of day is replaced; the monotonic clock goes on as ever.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from tests.durability.sweep.children import in_child
from tests.durability.sweep.spoiling import Spoiling
from tests.durability.sweep.sweep import directory, install, warm

_HOUR = 3600
#: Every so many places the clock jumps.
_EVERY = 7


_true, _gmtime = time.time, time.gmtime


def set_clock(hours: int) -> None:
    """Have the wall clock so many hours from the true time."""

    def shifted() -> float:
        return _true() + hours * _HOUR

    time.time = shifted
    time.time_ns = lambda: int(shifted() * 1e9)
    time.gmtime = lambda seconds=None: _gmtime(shifted() if seconds is None else seconds)


class Clock(Spoiling):
    """Runs whose clock jumps, that are killed, and that go on an hour or two earlier."""

    def jumping(self) -> Iterator[str]:
        """Run to the end, and give what is wrong."""
        self.come_back()
        if (ending := self.ending(_jumper())).exit_code:
            yield f"it ended with {ending}"
        yield from self._check()

    def killed_and_earlier(self, point: str) -> Iterator[str]:
        """Die, go on before that, and give what is wrong."""
        self.come_back()
        set_clock(1)
        self.die(point)
        set_clock(-1)
        if in_child(self.go_on):
            yield "it did not end well"
        yield from self._check()

    def _check(self) -> Iterator[str]:
        set_clock(0)
        yield from self._compare()
        lines = (self.run_dir / "events.jsonl").read_text().splitlines()
        elapsed = [json.loads(line)["elapsed_seconds"] for line in lines]
        if any(later < earlier for earlier, later in pairwise(elapsed)):
            yield "the run was worked on for less and less"
        if elapsed[-1] > _HOUR / 2:
            yield f"the run was worked on for {elapsed[-1]} s"


def _jumper():
    passed = 0

    def act(_: str) -> None:
        nonlocal passed
        passed += 1
        if passed % _EVERY == 0:
            set_clock(1 if passed // _EVERY % 2 else -1)

    return act


def main() -> int:
    install()
    tried = failed = 0
    with directory() as base:
        warm(Path(base) / "warm")
        for name in ("timed", "pipelined-rough"):
            run = Clock(name, Path(base) / name)
            found = {"jumping": run.jumping()}
            found |= {point: run.killed_and_earlier(point) for point in run.points[:: len(run.points) // 8]}
            for case, problems in found.items():
                tried += 1
                if told := list(problems):
                    failed += 1
                    print(f"{name}, {case}:", *told, sep="\n    ", flush=True)
    print(json.dumps({"tried": tried, "failed": failed}))
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
