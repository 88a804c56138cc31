"""Runs whose cache is spoiled while they go on; prints what is wrong, and figures.

Run as ``unshare --mount python -m tests.durability.sweep.cache_faults``. The cache is on a disk of its own,
an ext4 file system in a file, which is full or refuses every write from some point on; or bits of the cache
flip, it is cut, or taken away. It is empty when the run begins, or has all that the run will ask.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random

import attrs
from tests.durability.sweep.findings import OnRecord
from tests.durability.sweep.full_disk import fill
from tests.durability.sweep.read_only import Disk
from tests.durability.sweep.scenarios import Scenario
from tests.durability.sweep.spoiling import Ending, Spoiling, once_at
from tests.durability.sweep.sweep import Point, directory, install, trace, warm

#: What may end a run whose cache is spoiled; the cure of the first is to delete the file.
_CORRUPT = "gepa_cache_corrupt"
_ENDINGS = {"", _CORRUPT, "gepa_cache_full", "gepa_workspace_error"}
_FLIPS = 4


class SpoiltCache(Spoiling):
    """Runs with a cache on a disk of its own."""

    filled: bytes = b""

    @property
    def scenario(self) -> Scenario:
        return Scenario(cache='mode = "readwrite"\npath = "disk/cache.sqlite"', seed=7)

    @property
    def cache(self) -> Path:
        return self.base / "disk" / "cache.sqlite"

    def mounted(self) -> Disk:
        """Keep what the whole run put into the cache, and have the disk of its own."""
        self.filled = self.cache.read_bytes()
        disk = Disk(self.base / "cache.img", self.base / "disk")
        disk.make()
        return disk

    def begin(self, content: bytes) -> None:
        """Bring all to the beginning, with so much in the cache."""
        self.come_back()
        for path in self.cache.parent.glob("cache.sqlite*"):
            path.unlink()
        if content:
            self.cache.write_bytes(content)

    def traced(self, content: bytes) -> tuple[Point, ...]:
        self.begin(content)
        return trace(self.go_on, self.base / "trace.json")

    def spoiled(self, content: bytes, point: Point, way: Way) -> Iterator[str]:
        """Spoil the cache at a point, and give what is wrong with how the run ends and goes on."""
        self.begin(content)
        ending = self.ending(once_at(point, way.spoil))
        ENDED[f"{way.name}: {ending.error_code or 'went on'}"] += 1
        yield from self._told(ending)
        if ending.error_code:
            lost = set(self.log()) - OnRecord.of(self.run_dir).answered
            yield from (f"{name} was paid for, and is lost" for name in lost)
        way.mend()
        self._follow(ending)
        yield from self.mended()
        yield from self._again()

    def _again(self) -> Iterator[str]:
        """Run the same once more with what is in the cache now: it says so, or it is right."""
        self.come_back()
        ending = self.ending()
        yield from self._told(ending)
        self._follow(ending)
        yield from self.mended()

    def _told(self, ending: Ending) -> Iterator[str]:
        silent = bool(ending.error_code) and str(self.cache) not in ending.message
        if ending.error_code not in _ENDINGS or silent or (ending.exit_code and not ending.error_code):
            yield f"it ended with {ending}"

    def _follow(self, ending: Ending) -> None:
        """Do what the error says."""
        if ending.error_code == _CORRUPT:
            self.cache.unlink()

    def flip(self, seed: int) -> None:
        """Flip a bit in every 2,000 bytes or so, where there is a file."""
        if not self.cache.exists():
            return
        content = bytearray(self.cache.read_bytes())
        for place in Random(seed).sample(range(len(content) * 8), len(content) // 2000):
            content[place // 8] ^= 1 << place % 8
        with self.cache.open("r+b") as file:
            file.write(content)

    def cut(self, share: float) -> None:
        if self.cache.exists():
            os.truncate(self.cache, int(self.cache.stat().st_size * share))


@attrs.frozen
class Way:
    """How a cache is spoiled, and what is put right before the run goes on."""

    name: str
    spoil: Callable[[], object]
    mend: Callable[[], object] = bool


ENDED: Counter[str] = Counter()


def ways(run: SpoiltCache, disk: Disk) -> Iterator[Way]:
    ballast = disk.place / "ballast"
    yield Way("full", partial(fill, ballast), partial(ballast.unlink, missing_ok=True))
    yield Way("read-only", disk.give_up, disk.mend)
    for seed in range(_FLIPS):
        yield Way("flipped", partial(run.flip, seed))
    for share in (0, 0.4, 0.9):
        yield Way("cut", partial(run.cut, share))
    yield Way("gone", partial(run.cache.unlink, missing_ok=True))


def spread(points: tuple[Point, ...], count: int) -> tuple[Point, ...]:
    return tuple(points[number * len(points) // count] for number in range(count))


def main() -> int:
    install()
    failed = tried = 0
    with directory() as base:
        warm(Path(base) / "warm")
        run = SpoiltCache("shared", Path(base) / "shared")
        disk = run.mounted()
        try:
            for about, content in (("empty", b""), ("filled", run.filled)):
                points = spread(run.traced(content), 3)
                for way in ways(run, disk):
                    for point in points:
                        tried += 1
                        if problems := list(run.spoiled(content, point, way)):
                            failed += 1
                            print(f"{about}, {way.name} at {point}:", *problems, sep="\n    ", flush=True)
        finally:
            disk.unmount()
            shutil.rmtree(run.base, ignore_errors=True)
    print(json.dumps({"tried": tried, "failed": failed, "ended": dict(sorted(ENDED.items()))}))
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
