"""Runs whose files are moved, deleted or replaced under their hands; prints what is wrong, and figures."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
from tests.durability.sweep.spoiling import Spoiling, once_at
from tests.durability.sweep.sweep import Point, directory, install, warm

from gepa_framework.errors import WorkspaceError

_POINTS = 6


class LostFiles(Spoiling):
    """Takes files away at a point, and puts them back when the run has ended."""

    @property
    def elsewhere(self) -> Path:
        return self.base / "elsewhere"

    @property
    def database(self) -> Path:
        return self.run_dir / "workspace.sqlite"

    def move(self) -> None:
        self.run_dir.rename(self.elsewhere)

    def move_back(self) -> None:
        shutil.rmtree(self.run_dir, ignore_errors=True)
        self.elsewhere.rename(self.run_dir)

    def delete(self) -> None:
        shutil.rmtree(self.run_dir)

    def take(self) -> None:
        self.database.rename(self.elsewhere)

    def replace(self) -> None:
        # Of a name of its own first: the old file must not be written over.
        shutil.copyfile(self.database, self.base / "other")
        self.database.rename(self.elsewhere)
        (self.base / "other").rename(self.database)

    def give_back(self) -> None:
        self.elsewhere.rename(self.database)

    def spoiled(self, point: Point, way: Way) -> Iterator[str]:
        """Spoil the run at a point, and give what is wrong."""
        self.come_back()
        ending = self.ending(once_at(point, way.spoil))
        wanted = (WorkspaceError.exit_code, WorkspaceError.error_code)
        if (ending.exit_code, ending.error_code) != wanted or way.says not in ending.message:
            yield f"it ended with {ending}"
        way.mend()
        yield from self.mended()


@attrs.frozen
class Way:
    """How a run loses its files, how it has them back, and what it says in between."""

    name: str
    spoil: Callable[[], None]
    mend: Callable[[], None]
    says: str


def ways(run: LostFiles) -> tuple[Way, ...]:
    gone = "is gone: it was moved or deleted"
    return (
        Way("the directory is moved", run.move, run.move_back, gone),
        Way("the directory is deleted", run.delete, run.come_back, gone),
        Way("the database is taken away", run.take, run.give_back, gone),
        Way("the database is replaced", run.replace, run.give_back, "was replaced by another file"),
    )


def main() -> int:
    install()
    tried = failed = 0
    with directory() as base:
        warm(Path(base) / "warm")
        run = LostFiles("rough", Path(base) / "rough")
        # Always as many, and after these there is more to be written: the end takes no notice.
        points = [point for point in run.points if point.startswith("before_send")]
        points = points[: len(points) * 3 // 4]
        for way in ways(run):
            for point in points[:: len(points) // _POINTS]:
                tried += 1
                if problems := list(run.spoiled(point, way)):
                    failed += 1
                    print(f"{way.name} at {point}:", *problems, sep="\n    ", flush=True)
    print(json.dumps({"tried": tried, "failed": failed}))
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
