"""Runs on a disk that turns read-only under their hands; prints what is wrong, and figures.

Run as ``unshare --mount python -m tests.durability.sweep.read_only``. A disk is an ext4 file system in a
file: it gives up as one does that meets an error, with files open for writing, which no other way to make a
disk read-only allows. It has to be checked before it can be written again.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
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


@attrs.frozen
class Disk:
    """A disk in a file, which can be had give up.

    Attributes:
        image: The file.
        place: Where it is mounted.
    """

    image: Path
    place: Path

    def make(self) -> None:
        self.place.mkdir(exist_ok=True)
        with self.image.open("wb") as file:
            file.truncate(_SIZE)
        # Nothing is kept for root alone, who would find room on a full disk.
        _call("mkfs.ext4", "-q", "-F", "-m", "0", self.image)
        self._mount()

    def _mount(self) -> None:
        _call("mount", "-o", "loop,errors=remount-ro", self.image, self.place)

    def unmount(self) -> None:
        _call("umount", self.place)

    def give_up(self) -> None:
        """Refuse every write from here on."""
        _call("mount", "-o", "remount,abort", self.place)

    def mend(self) -> None:
        self.unmount()
        # 1 is that of a file system that was mended.
        _call("e2fsck", "-p", self.image, good=(0, 1))
        self._mount()


class FailingDisk(Spoiling):
    """Runs on a disk of their own."""

    refused = 0

    @property
    def disk(self) -> Disk:
        return Disk(self.base / "disk.img", self.base / "runs")

    @property
    def _note(self) -> Path:
        return self.base / "acknowledged.json"

    def give_up(self) -> None:
        """Note what is on record, and have the disk refuse every write from here on."""
        self._note.write_text(json.dumps(OnRecord.of(self.run_dir).feed))
        self.disk.give_up()

    def refused_at(self, point: Point) -> Iterator[str]:
        """Have the disk give up at a point, and give what is wrong."""
        self.come_back()
        self._note.unlink(missing_ok=True)
        ending = self.ending(once_at(point, self.give_up))
        self.disk.mend()
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


def points(run: FailingDisk, count: int) -> tuple[Point, ...]:
    """Give the first passing of each place, and some points that are spread over all."""
    first = [point for point in run.points if point.endswith(":1")]
    spread = run.points[:: max(1, len(run.points) // count)][:count]
    return tuple(dict.fromkeys((*first, *spread)))


def main() -> int:
    install()
    tried = failed = refused = 0
    with directory() as base:
        warm(Path(base) / "warm")
        for name, count in _POINTS.items():
            run = FailingDisk(name, Path(base) / name)
            run.disk.make()
            try:
                for point in points(run, count):
                    tried += 1
                    if problems := list(run.refused_at(point)):
                        failed += 1
                        print(f"{name}, at {point}:", *problems, sep="\n    ", flush=True)
                refused += run.refused
            finally:
                run.disk.unmount()
    print(json.dumps({"tried": tried, "refused": refused, "failed": failed}))
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
