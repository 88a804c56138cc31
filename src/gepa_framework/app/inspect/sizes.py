"""What the files of runs take, by kind. Links are counted as links and never followed."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs

from gepa_framework.app import files
from gepa_framework.workspace import file_errors

_KINDS: Mapping[str, str] = {
    **dict(files.ARTIFACTS),
    files.MANIFEST: "manifest",
    "workspace.lock": "lock",
    "cache.sqlite": "cache",
}
#: What SQLite keeps beside a file of its own counts to that file.
_BESIDE = ("-wal", "-shm", "-journal")


@attrs.frozen
class FileSize:
    """A file.

    Attributes:
        path: Where it is, relative to the run's directory.
        kind: What it is, such as ``workspace``, ``event_feed`` or ``cache``; ``other`` for what is not ours.
        bytes: Its length.
        modified: When it was last written, in seconds since 1970.
    """

    path: str
    kind: str
    bytes: int
    modified: float


@attrs.frozen
class RunSize:
    """What a run takes.

    Attributes:
        run_id: The name of its directory.
        run_dir: Its directory.
        bytes: Bytes in all.
        files: Number of its files.
        kinds: Kind to bytes, the largest first.
    """

    run_id: str
    run_dir: str
    bytes: int
    files: int
    kinds: Mapping[str, int]


def size_of(run_dir: Path) -> RunSize:
    """Add up the files of a run.

    Raises:
        WorkspaceError: The directory cannot be read.
    """
    kinds: Counter[str] = Counter()
    count = 0
    for each in files_below(run_dir):
        kinds[each.kind] += each.bytes
        count += 1
    return RunSize(run_dir.resolve().name, str(run_dir), kinds.total(), count, dict(kinds.most_common()))


def files_below(run_dir: Path) -> Iterator[FileSize]:
    """Give every file of a run; one that goes away meanwhile is left out.

    Raises:
        WorkspaceError: A directory cannot be read.
    """
    for where, _, names in os.walk(run_dir, onerror=_raise, followlinks=False):
        for name in names:
            path = Path(where, name)
            with file_errors(path):
                try:
                    found = path.lstat()
                except FileNotFoundError:
                    continue
            if stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode):
                inner = path.relative_to(run_dir)
                yield FileSize(str(inner), _kind(inner), found.st_size, found.st_mtime)


def _raise(error: OSError) -> None:
    with file_errors(Path(error.filename or ".")):
        raise error


def _kind(path: Path) -> str:
    name = str(path)
    for ending in _BESIDE:
        name = name.removesuffix(ending)
    return _KINDS.get(name, "other")
