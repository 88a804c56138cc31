"""A disk that loses its power: what was done to it, and what may be on it when the power is gone.

The model is the harshest that POSIX allows: data is safe after a sync of its file, a name after a sync of its
directory, and nothing else is. Of what is not safe any part may be there, in any order, torn at sectors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import TypeAlias

import attrs


@attrs.frozen
class Write:
    """Bytes that were written to a file."""

    file: int
    offset: int
    data: bytes = attrs.field(repr=len)


@attrs.frozen
class Truncate:
    """A file that was made shorter, or longer."""

    file: int
    size: int


@attrs.frozen
class Sync:
    """A file of which all is safe from here on."""

    file: int


@attrs.frozen
class Name:
    """A name that a directory gives to a file (`0`: a directory), or takes away (`None`)."""

    path: str
    file: int | None


@attrs.frozen
class Rename:
    """A name that another one takes the place of."""

    old: str
    new: str


@attrs.frozen
class SyncNames:
    """A directory of which all names are safe from here on."""

    directory: str


@attrs.frozen
class Told:
    """Something that somebody was told: from here on it must be true."""

    what: int


Op: TypeAlias = Write | Truncate | Sync | Name | Rename | SyncNames | Told
Change: TypeAlias = Write | Truncate
State: TypeAlias = dict[str, bytes]


def parent(path: str) -> str:
    return path.rpartition("/")[0]


def changed(content: bytearray, change: Change) -> None:
    """Do to a file's content what was done to the file."""
    if isinstance(change, Truncate):
        content[change.size :] = bytes(max(0, change.size - len(content)))
    else:
        content.extend(bytes(max(0, change.offset - len(content))))
        content[change.offset : change.offset + len(change.data)] = change.data


def torn(write: Write, rng: Random) -> Iterator[Write]:
    """Give the parts of a write that reached the disk, cut where sectors begin."""
    sector = rng.choice((512, 4096))
    ends = range(write.offset - write.offset % sector + sector, write.offset + len(write.data), sector)
    starts = [write.offset, *ends]
    for start, end in zip(starts, [*ends, write.offset + len(write.data)], strict=True):
        if rng.random() < 0.5:
            yield Write(write.file, start, write.data[start - write.offset : end - write.offset])


@attrs.define
class Platter:
    """What is safe, and what is not yet, after some operations.

    Attributes:
        safe: Content of each file as of its last sync.
        loose: What was done to each since.
        names: Names that are safe.
        loose_names: What was done to each directory's names since.
        told: What was told last; -1 for nothing yet.
    """

    safe: dict[int, bytes] = attrs.field(factory=dict)
    loose: dict[int, list[Change]] = attrs.field(factory=dict)
    names: dict[str, int] = attrs.field(factory=lambda: {"": 0})
    loose_names: dict[str, list[Name | Rename]] = attrs.field(factory=dict)
    told: int = -1

    def do(self, op: Op) -> None:
        match op:
            case Write(file) | Truncate(file):
                self.loose.setdefault(file, []).append(op)
            case Sync(file):
                self.safe[file] = self._content(file, self.loose.pop(file, ()))
            case Name(path):
                self.loose_names.setdefault(parent(path), []).append(op)
            case Rename(old):
                self.loose_names.setdefault(parent(old), []).append(op)
            case SyncNames(directory):
                for each in self.loose_names.pop(directory, ()):
                    _rename(self.names, each)
            case Told(what):
                self.told = what

    def _content(self, file: int, changes: Sequence[Change]) -> bytes:
        content = bytearray(self.safe.get(file, b""))
        for change in changes:
            changed(content, change)
        return bytes(content)

    def least(self) -> State:
        """Give what is there when nothing is that need not be."""
        return self._state(self.names, lambda _: ())

    def most(self) -> State:
        """Give what is there when everything is."""
        return self._state(self._named(None), lambda file: self.loose.get(file, ()))

    def some(self, rng: Random) -> State:
        """Give what is there when chance decides."""
        return self._state(self._named(rng), lambda file: list(self._parts(file, rng)))

    def _parts(self, file: int, rng: Random) -> Iterator[Change]:
        for change in self.loose.get(file, ()):
            match rng.randrange(3), change:
                case 0, _:
                    yield change
                case 1, Write():
                    yield from torn(change, rng)

    def _named(self, rng: Random | None) -> dict[str, int]:
        """Give the names that are there: of each directory's last changes the first few, or all."""
        names = dict(self.names)
        for changes in self.loose_names.values():
            count = len(changes) if rng is None else rng.randint(0, len(changes))
            for change in changes[:count]:
                _rename(names, change)
        return names

    def _state(self, names: dict[str, int], changes) -> State:
        return {
            path: self._content(file, changes(file))
            for path, file in names.items()
            if file and all(each in names for each in _ancestors(path))
        }


def _ancestors(path: str) -> Iterator[str]:
    while path:
        path = parent(path)
        yield path


def _rename(names: dict[str, int], change: Name | Rename) -> None:
    if isinstance(change, Rename):
        names[change.new] = names.pop(change.old)
    elif change.file is None:
        names.pop(change.path, None)
    else:
        names[change.path] = change.file


@attrs.frozen
class Cut:
    """A power cut and what it left.

    Attributes:
        at: Operations before it.
        seed: What chance drew from; 0 for the least and 1 for the most that can be there.
        told: What had been told by then.
        left: The files.
    """

    at: int
    seed: int
    told: int
    left: State = attrs.field(repr=False)


def cuts(log: Sequence[Op], chances: int) -> Iterator[Cut]:
    """Give what may be there after a power cut at each place, each state once for what had been told."""
    platter, seen = Platter(), set()
    for at, op in enumerate(log, start=1):
        platter.do(op)
        for seed in range(chances + 2):
            left = platter.least() if seed == 0 else platter.most() if seed == 1 else None
            if left is None:
                left = platter.some(Random(at * 1000 + seed))
            key = (platter.told, tuple(sorted((name, hash(content)) for name, content in left.items())))
            if key not in seen:
                seen.add(key)
                yield Cut(at, seed, platter.told, left)
