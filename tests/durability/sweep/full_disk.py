"""Runs on a small disk that is full or read-only from some point on; prints what is wrong, and figures.

Run as ``unshare --mount python -m tests.durability.sweep.full_disk``: the disk is mounted where nobody else
sees it, and goes with the process.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from tests.durability.sweep.findings import OnRecord
from tests.durability.sweep.spoiling import Ending, Spoiling, once_at
from tests.durability.sweep.sweep import Point, directory, install, warm

from gepa_framework.errors import DiskBudgetError, WorkspaceError

_SIZE = 2 * 1024 * 1024
_BLOCK = 4096
#: Scenarios, and how many points of each the disk is full at.
_FULL_AT = {"plain": 24, "rough": 24, "pipelined": 16}
#: After how many points of each the disk is found to be read-only.
_READ_ONLY = 5
#: How much is left at the beginning, in equal steps from nothing to enough.
_LEFT = 48


def fill(ballast: Path, left: int = 0) -> None:
    """Fill the disk up but for some bytes."""
    found = os.statvfs(ballast.parent)
    wanted = found.f_bavail * found.f_frsize - left
    with suppress(OSError), ballast.open("ab", buffering=0) as file:
        while wanted > 0:
            wanted -= file.write(bytes(min(wanted, 1 << 16)))


class FullDisk(Spoiling):
    """Runs on a disk of their own."""

    full = 0

    @property
    def ballast(self) -> Path:
        return self.base / "runs" / "ballast"

    def mounted(self) -> FullDisk:
        (self.base / "runs").mkdir(exist_ok=True)
        options = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", self.base / "runs"]
        subprocess.run(options, check=True)
        self.come_back()
        return self

    def full_at(self, point: Point) -> Iterator[str]:
        """Have the disk full from a point on, and give what is wrong."""
        self.come_back()
        ending = self.ending(once_at(point, lambda: fill(self.ballast)))
        yield from self._check(ending)
        self.ballast.unlink(missing_ok=True)
        if ending.error_code and (self.run_dir / "workspace.sqlite").exists():
            # There was a reserve: what was paid for is on record.
            lost = set(self.log()) - OnRecord.of(self.run_dir).answered
            yield from (f"{name} was paid for, and is lost" for name in lost)
        yield from self.mended()

    def with_left(self, left: int) -> Iterator[str]:
        """Begin with so many bytes left, and give what is wrong."""
        self.come_back()
        fill(self.ballast, left)
        yield from self._check(self.ending())
        self.ballast.unlink(missing_ok=True)
        yield from self.mended()

    def read_only_after(self, points: Sequence[Point]) -> Iterator[str]:
        """Have the disk read-only, after a death if there is a point, and give what is wrong."""
        self.come_back()
        for point in points:
            yield from self.leg(functools.partial(self.die, point))
        self._remount("ro")
        try:
            ending = self.ending()
        finally:
            self._remount("rw")
        wanted = (WorkspaceError.exit_code, WorkspaceError.error_code)
        if (ending.exit_code, ending.error_code) != wanted or "Read-only file system" not in ending.message:
            yield f"it ended with {ending}"
        yield from self.mended()

    def _remount(self, mode: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{mode}", self.base / "runs"], check=True)

    def _check(self, ending: Ending) -> Iterator[str]:
        self.full += bool(ending.error_code)
        wanted = (DiskBudgetError.exit_code, DiskBudgetError.error_code)
        if (ending.exit_code, ending.error_code) not in ((0, ""), wanted):
            yield f"it ended with {ending}"
        for path in self.run_dir.glob("*.json"):
            try:
                json.loads(path.read_text())
            except ValueError:
                yield f"{path.name} is half a file"
        if drafts := [path.name for path in (*self.run_dir.glob(".*"), *self.run_dir.glob("*.new*"))]:
            yield f"{drafts} are left behind"
        if (self.run_dir / "workspace.reserve").exists():
            yield "the reserve was not given up"


def positions(disk: FullDisk, count: int) -> Iterator[tuple[str, Iterator[str]]]:
    """Give every position with what is wrong there."""
    points = disk.points[:: max(1, len(disk.points) // count)][:count]
    # The reserve is given up before the exports are written: for them there is none.
    points += tuple(point for point in disk.points if "export" in point or "append" in point)
    for point in dict.fromkeys(points):
        yield f"full at {point}", disk.full_at(point)
    for point in disk.points[3 : len(disk.points) : len(disk.points) // _READ_ONLY]:
        yield f"read-only after {point}", disk.read_only_after([point])
    if disk.name == "plain":
        yield "read-only from the beginning", disk.read_only_after([])
        for number in range(_LEFT):
            left = number * 640 * 1024 // _LEFT // _BLOCK * _BLOCK
            yield f"{left} bytes left", disk.with_left(left)


def main() -> int:
    install()
    tried = failed = full = 0
    with directory() as base:
        warm(Path(base) / "warm")
        for name, count in _FULL_AT.items():
            disk = FullDisk(name, Path(base) / name).mounted()
            try:
                for position, found in positions(disk, count):
                    tried += 1
                    if problems := list(found):
                        failed += 1
                        print(f"{name}, {position}:", *problems, sep="\n    ", flush=True)
                full += disk.full
            finally:
                subprocess.run(["umount", "--lazy", disk.base / "runs"], check=True)
    print(json.dumps({"tried": tried, "full": full, "failed": failed}))
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
