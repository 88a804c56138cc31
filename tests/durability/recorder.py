"""Watches all that is done to the files below a directory, and notes it down for a `Platter`."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.durability.platter import Name, Op, Rename, Sync, SyncNames, Told, Truncate, Write
from tests.durability.vfs import RecordingVFS, connect


class Recorder:
    """What was done below a directory, in its order.

    Databases tell of each of their writes. Of other files it is seen what became of them since the last look,
    and a look is taken before anything that could make a difference.

    Args:
        root: The directory; nothing is in it yet.

    Attributes:
        log: What was done.
        spoil: Changes a statement of SQL before it is executed.
        fault: Told of each operation on a file of a database and of the file; what it raises becomes of it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.log: list[Op] = []
        self.spoil: Callable[[str], str] = str
        self.fault: Callable[[str, str], None] = lambda operation, name: None
        self._files: dict[str, int] = {}
        self._plain: dict[str, bytes] = {}
        self._databases: set[str] = set()
        self._count = 0

    def told(self, what: int) -> None:
        """Note that somebody was told something."""
        self.log.append(Told(what))

    def name_of(self, path: str | os.PathLike[str]) -> str | None:
        """Give the path below the root; `None` for what is elsewhere or does not outlive a process."""
        whole = Path(path).absolute()
        if not whole.is_relative_to(self.root) or whole.name.endswith("-shm"):
            return None
        return str(whole.relative_to(self.root)).removeprefix(".")

    # What a database does.

    def opened(self, name: str) -> None:
        self._databases.add(name)
        self._plain.pop(name, None)
        self._file(name)

    def wrote(self, name: str, offset: int, data: bytes) -> None:
        self.log.append(Write(self._file(name), offset, data))

    def truncated(self, name: str, size: int) -> None:
        self.log.append(Truncate(self._file(name), size))

    def synced(self, name: str, *, directory: bool) -> None:
        self._look()
        self.log.append(Sync(self._file(name)))
        if directory:
            self.log.append(SyncNames(name.rpartition("/")[0]))

    def removed(self, name: str, *, directory: bool) -> None:
        self._look()
        self._forget(name)
        if directory:
            self.log.append(SyncNames(name.rpartition("/")[0]))

    def _file(self, name: str) -> int:
        if name not in self._files:
            self._count += 1
            self._files[name] = self._count
            self.log.append(Name(name, self._count))
        return self._files[name]

    def _forget(self, name: str) -> None:
        if self._files.pop(name, None) is not None:
            self.log.append(Name(name, None))
        self._plain.pop(name, None)
        self._databases.discard(name)

    # What anybody else does.

    def _look(self) -> None:
        for path in sorted(self.root.rglob("*")):
            name = self.name_of(path)
            if name and name not in self._databases and path.is_file():
                self._look_at(name, path.read_bytes())

    def _look_at(self, name: str, content: bytes) -> None:
        before = self._plain.get(name, b"")
        file = self._file(name)
        if content != before:
            if content.startswith(before):
                self.log.append(Write(file, len(before), content[len(before) :]))
            else:
                self.log += [Truncate(file, 0), Write(file, 0, content)]
        self._plain[name] = content

    def _fsync(self, handle: int) -> None:
        name = self.name_of(Path(f"/proc/self/fd/{handle}").readlink())
        self._look()
        if name is not None:
            isdir = (self.root / name).is_dir()
            self.log.append(SyncNames(name) if isdir else Sync(self._file(name)))

    def _rename(self, old: Any, new: Any, **_: object) -> None:
        before, after = self.name_of(old), self.name_of(new)
        self._look()
        if before is None or after is None:
            return
        self._files[after] = self._files.pop(before)
        self._databases.discard(after)
        if before in self._databases:
            self._databases = (self._databases - {before}) | {after}
        if before in self._plain:
            self._plain[after] = self._plain.pop(before)
        self.log.append(Rename(before, after))

    def _unlink(self, path: Any, **_: object) -> None:
        name = self.name_of(path)
        self._look()
        if name is not None:
            self._forget(name)

    def _mkdir(self, path: Any, *_: object, **__: object) -> None:
        if name := self.name_of(path):
            self.log.append(Name(name, 0))

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch whatever this process does meanwhile."""
        vfs = RecordingVFS(self)
        notes = {
            "fsync": self._fsync,
            "rename": self._rename,
            "replace": self._rename,
            "unlink": self._unlink,
            "mkdir": self._mkdir,
        }
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sqlite3, "connect", lambda path, **given: connect(self, vfs, path, **given))
            for name, note in notes.items():
                patch.setattr(os, name, _noted(getattr(os, name), note))
            yield
            self._look()
        vfs.unregister()


def _noted(call: Callable[..., Any], note: Callable[..., None]) -> Callable[..., Any]:
    """Note a call down once it was well, but look at the files as they were before it."""

    def noted(*args: Any, **options: Any) -> Any:
        note(*args, **options)
        return call(*args, **options)

    return noted
