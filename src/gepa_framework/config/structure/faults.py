"""What is wrong with a value, gathered all at once with paths relative to the value."""

from __future__ import annotations

import contextlib
import datetime as dt
import difflib
from collections.abc import Iterable, Iterator, Sequence

import attrs

_SHOWN_CHARS = 40
_LISTED_KEYS = 12
_NAMES: dict[type[object], str] = {int: "integer", float: "float", dt.time: "time"}


@attrs.frozen
class Fault:
    """One thing that is wrong, and where below the value.

    Attributes:
        path: Keys and indices from the value that was structured.
        message: What is wrong.
        hint: What to do about it.
        expected: What a value of another type should have been, such as "a string".
    """

    path: tuple[str, ...]
    message: str
    hint: str = ""
    expected: str = ""

    def below(self, parts: Sequence[str]) -> Fault:
        """Give the same fault as seen from further up."""
        return attrs.evolve(self, path=(*parts, *self.path))


class Faults(Exception):  # noqa: N818 - it is a plural that never leaves the configuration layer
    """Everything that is wrong with a value."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*faults)
        self.faults = faults


def fault(message: str, hint: str = "", expected: str = "") -> Faults:
    """Give the one fault of the value itself, ready to raise."""
    return Faults(Fault((), message, hint, expected))


def mismatch(expected: str, value: object) -> Faults:
    """Give the fault of a value of the wrong type."""
    return fault(f"expected {expected}, got {describe(value)}", expected=expected)


@attrs.define
class Gather:
    """Collects the faults of the parts of a value."""

    faults: list[Fault] = attrs.field(factory=list)

    def add(self, path: Sequence[str], message: str, hint: str = "") -> None:
        """Note a fault."""
        self.faults.append(Fault(tuple(path), message, hint))

    @contextlib.contextmanager
    def under(self, *parts: str) -> Iterator[None]:
        """Note the faults that the block raises, below `parts`, and go on."""
        try:
            yield
        except Faults as found:
            self.faults.extend(each.below(parts) for each in found.faults)

    def done(self) -> None:
        """End the gathering.

        Raises:
            Faults: There were some.
        """
        if self.faults:
            raise Faults(*self.faults)


def describe(value: object) -> str:
    """Name a TOML value as a reader of TOML would."""
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "an array"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, str):
        return f'the string "{_shorten(value)}"'
    return f"the {_NAMES.get(type(value), 'date')} {_shorten(str(value))}"


def _shorten(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Give a hint at the nearest known name, else at all of them if they are few, else nothing."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"known here: {', '.join(names)}" if 0 < len(names) <= _LISTED_KEYS else ""
