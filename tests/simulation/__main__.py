"""More schedules than the tests play: ``python -m tests.simulation --count 100000 --first 0``."""

from __future__ import annotations

import argparse
import sys
import time

from tests.simulation.play import play


def main() -> int:
    """Play schedules, and print the number of each that fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    failed, began = [], time.perf_counter()
    for seed in range(options.first, options.first + options.count):
        try:
            play(seed)
        except Exception as error:  # noqa: BLE001 - whatever it is, its number reproduces it
            failed.append(seed)
            print(f"schedule {seed}: {type(error).__name__}: {error}", flush=True)
    seconds = time.perf_counter() - began
    print(f"{options.count} schedules in {seconds:.0f} s, {len(failed)} failed {failed[:20]}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
