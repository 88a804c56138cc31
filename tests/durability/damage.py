"""Bits that flip and files that end too soon, and whether anybody notices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random

import attrs

from gepa_framework.errors import GepaError


@attrs.frozen
class Damage:
    """A file that is not what was written.

    Attributes:
        path: The file.
        what: How it was damaged, so that it can be again.
        content: What is in it now.
    """

    path: Path
    what: str
    content: bytes = attrs.field(repr=False)


def flips(path: Path, count: int, *, seed: int = 7) -> Iterator[Damage]:
    """Give a file with one bit of it flipped, at places that are the same each time."""
    content = path.read_bytes()
    for place in Random(seed).sample(range(len(content) * 8), min(count, len(content) * 8)):
        byte, bit = divmod(place, 8)
        flipped = content[:byte] + bytes([content[byte] ^ 1 << bit]) + content[byte + 1 :]
        yield Damage(path, f"bit {bit} of byte {byte} of {path.name} flipped", flipped)


def truncations(path: Path, ends: Iterable[int]) -> Iterator[Damage]:
    """Give a file that ends before, at and after each of some places."""
    content = path.read_bytes()
    for end in sorted({end + beside for end in ends for beside in (-1, 0, 1)}):
        if 0 <= end < len(content):
            yield Damage(path, f"{path.name} cut to {end} bytes", content[:end])


@attrs.define
class Findings:
    """What became of damages.

    Attributes:
        found: Those that an error told of, which names the file.
        harmless: Those that changed nothing of what is read.
        silent: Those that nobody noticed, or that somebody did not know what to say of.
    """

    found: int = 0
    harmless: int = 0
    silent: list[str] = attrs.field(factory=list)

    @property
    def count(self) -> int:
        return self.found + self.harmless + len(self.silent)


def findings(damages: Iterable[Damage], read: Callable[[], object], about: str = "") -> Findings:
    """Read after each damage, and give what came of it.

    Args:
        damages: Each is undone before the next.
        read: Gives what is read, or raises.
        about: What an error must name; the file where it is empty.
    """
    found, expected = Findings(), read()
    for damage in damages:
        before = damage.path.read_bytes()
        damage.path.write_bytes(damage.content)
        try:
            if read() == expected:
                found.harmless += 1
            else:
                found.silent.append(damage.what)
        except GepaError as error:
            if (about or damage.path.name) in str(error):
                found.found += 1
            else:
                found.silent.append(f"{damage.what}: {error}")
        except Exception as error:  # noqa: BLE001 - an error without words is as bad as none
            found.silent.append(f"{damage.what}: {type(error).__name__}: {error}")
        finally:
            damage.path.write_bytes(before)
    return found
