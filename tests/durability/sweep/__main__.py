"""More deaths than the tests try: ``python -m tests.durability.sweep --count 10000``.

``--point rough/amid_commit:7`` reproduces one, and ``--point rough/amid_commit:7,feed_emptied:1`` one of two.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from tests.durability.sweep.cases import Case, cases
from tests.durability.sweep.scenarios import SCENARIOS
from tests.durability.sweep.sweep import Sweep, directory, install, warm


def main() -> int:
    """Kill, and print what is wrong and how to see it again; the last line is one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=1000, help="deaths in all")
    parser.add_argument("--scenario", choices=SCENARIOS, help="of this run only")
    parser.add_argument("--seed", type=int, default=0, help="of the random instants")
    parser.add_argument("--point", help="one case, as it is printed when it fails")
    options = parser.parse_args()
    install()
    with directory() as base:
        warm(Path(base) / "warm")
        if options.point:
            return _one(options.point, Path(base))
        names = [options.scenario] if options.scenario else list(SCENARIOS)
        return _all(names, options.count // len(names), options.seed, Path(base))


def _one(text: str, base: Path) -> int:
    name, _, points = text.partition("/")
    sweep = Sweep(name, base / name)
    if points.startswith("after "):
        problems = sweep.check((), killed_after=float(points.split()[1]))
    else:
        problems = sweep.check(points.split(","))
    print("\n".join(problems) or "nothing is wrong")
    return bool(problems)


def _all(names: list[str], count: int, seed: int, base: Path) -> int:
    began, failed, tried, deaths = time.perf_counter(), 0, 0, 0
    for name in names:
        sweep = Sweep(name, base / name)
        for case in cases(sweep, count, seed=seed):
            tried += 1
            # The first of two points was passed when the state was kept.
            points = case.points if case.state == "beginning" else case.points[1:]
            if problems := sweep.check(points, state=case.state, killed_after=case.killed_after):
                failed += 1
                _tell(case, problems)
        deaths += sweep.deaths
    seconds = round(time.perf_counter() - began, 1)
    processor = round(sum(os.times()[:4]), 1)
    figures = {
        "tried": tried,
        "deaths": deaths,
        "failed": failed,
        "seconds": seconds,
        "cpu_seconds": processor,
    }
    print(json.dumps(figures))
    return bool(failed)


def _tell(case: Case, problems: list[str]) -> None:
    print(f"python -m tests.durability.sweep --point '{case}'", flush=True)
    for problem in problems:
        print(f"    {problem}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
