"""Runs on a disk that turns read-only under their hands; prints what is wrong, and figures.

Run as ``unshare --mount python -m tests.durability.sweep.read_only``. A disk is an ext4 file system in a file:
it gives up as one does that meets an error, with files open for writing, which no other way to make a disk
read-only allows. It has to be checked before it can be written again.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.durability.sweep.findings import OnRecord
from tests.durability.sweep.spoiling import Spoiling, once_at
from tests.durability.sweep.sweep import Point, directory, install, warm

from gepa_framework.errors import WorkspaceError

_SIZE = 8 * 1024 * 1024
#: Scenarios, and how many points of each are tried besides the first passing of each place.
_POINTS = {"plain": 8, "cached": 8}
#: What a system and a database say of it.
_SAID = (
    "Read-only file system",
    "attempt to write a readonly database",
    "disk I/O error",
    "unable to open database file",
)


class FailingDisk(Spoiling):
    """Runs on a disk of their own."""

    refused = 0

    @property
    def disk(self) -> Path:
        return self.base / "runs"

    @property
    def _image(self) -> Path:
        return self.base / "disk.img"

    @property
    def _note(self) -> Path:
        return self.base / "acknowledged.json"

    def mounted(self) -> FailingDisk:
        self.disk.mkdir(exist_ok=True)
        with self._image.open("wb") as file:
            file.truncate(_SIZE)
        _call("mkfs.ext4", "-q", "-F", self._image)
        self._mount()
        return self

    def _mount(self) -> None:
        _call("mount", "-o", "loop,errors=remount-ro", self._image, self.disk)

    def unmount(self) -> None:
        _call("umount", self.disk)

    def give_up(self) -> None:
        """Note what is on record, and have the disk refuse every write from here on."""
        self._note.write_text(json.dumps(OnRecord.of(self.run_dir).feed))
        _call("mount", "-o", "remount,abort", self.disk)

    def mend(self) -> None:
        self.unmount()
        # 1 is that of a file system that was mended.
        _call("e2fsck", "-p", self._image, good=(0, 1))
        self._mount()

    def refused_at(self, point: Point) -> Iterator[str]:
        """Have the disk give up at a point, and give what is wrong."""
        self.come_back()
        self._note.unlink(missing_ok=True)
        ending = self.ending(once_at(point, self.give_up))
        self.mend()
        wanted = (WorkspaceError.exit_code, WorkspaceError.error_code)
        told = any(said in ending.message for said in _SAID) and str(self.base) in ending.message
        whole = (ending.exit_code, ending.error_code) == (0, "")
        if not (whole or ((ending.exit_code, ending.error_code) == wanted and told)):
            yield f"it ended with {ending}"
        self.refused += not whole
        if not self._note.exists():
            return
        acknowledged = json.loads(self._note.read_text())
        if [*OnRecord.of(self.run_dir).feed[: len(acknowledged)]] != acknowledged:
            yield "what was on record is lost"
        yield from self.mended()


def _call(*command: str | Path, good: Sequence[int] = (0,)) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in good:
        raise OSError(f"{command[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")


def points(disk: FailingDisk, count: int) -> tuple[Point, ...]:
    """Give the first passing of each place, and some points that are spread over all."""
    first = [point for point in disk.points if point.endswith(":1")]
    spread = disk.points[:: max(1, len(disk.points) // count)][:count]
    return tuple(dict.fromkeys((*first, *spread)))


def main() -> int:
    install()
    tried = failed = refused = 0
    with directory() as base:
        warm(Path(base) / "warm")
        for name, count in _POINTS.items():
            disk = FailingDisk(name, Path(base) / name).mounted()
            try:
                for point in points(disk, count):
                    tried += 1
                    if problems := list(disk.refused_at(point)):
                        failed += 1
                        print(f"{name}, at {point}:", *problems, sep="\n    ", flush=True)
                refused += disk.refused
            finally:
                disk.unmount()
    print(json.dumps({"tried": tried, "refused": refused, "failed": failed}))
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
