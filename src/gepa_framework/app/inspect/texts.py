"""How two texts differ: line beside line, and inside a line word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher, unified_diff

import attrs

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
#: Comparing takes the product of both lengths at worst; beyond these the parts are taken as wholly different.
_MOST_WORDS = 4_000_000
_MOST_LINES = 25_000_000


@attrs.frozen
class Span:
    """A piece of a line.

    Attributes:
        text: The piece.
        changed: Whether the other side does not have it.
    """

    text: str
    changed: bool


@attrs.frozen
class Line:
    """A line on one side; the spans make up its text.

    Attributes:
        number: Its number, from 1.
        spans: Its pieces.
    """

    number: int
    spans: tuple[Span, ...]


@attrs.frozen
class LinePair:
    """What stands side by side.

    Attributes:
        kind: ``equal``, ``changed``, ``removed`` or ``added``.
        before: The line of the first text; ``None`` where there is none.
        after: The line of the second text; ``None`` where there is none.
    """

    kind: str
    before: Line | None
    after: Line | None


@attrs.frozen
class ComponentDiff:
    """How one component differs.

    Attributes:
        component: Its name.
        kind: ``equal``, ``changed``, ``removed`` or ``added``.
        lines: Both texts side by side.
        unified: The same as a unified diff with three lines around each change; empty where they are equal.
    """

    component: str
    kind: str
    lines: tuple[LinePair, ...]
    unified: str


def diff_components(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[ComponentDiff, ...]:
    """Give how each component differs, in the order of the first candidate."""
    names = (*before, *(name for name in after if name not in before))
    return tuple(_component(name, before.get(name), after.get(name)) for name in names)


def _component(name: str, before: str | None, after: str | None) -> ComponentDiff:
    kind = "changed"
    if before is None or after is None:
        kind = "added" if before is None else "removed"
    elif before == after:
        kind = "equal"
    one, other = _lines(before or ""), _lines(after or "")
    unified = "" if kind == "equal" else "\n".join(_unified(name, one, other))
    return ComponentDiff(name, kind, tuple(diff_lines(one, other)), unified)


def _lines(text: str) -> list[str]:
    # Not `splitlines`: a form feed or a Unicode separator is part of a line here.
    return text.split("\n") if text else []


def _unified(name: str, one: Sequence[str], other: Sequence[str]) -> Iterator[str]:
    if len(one) * len(other) > _MOST_LINES:
        yield from (f"--- a/{name}", f"+++ b/{name}")
        yield from (f"-{line}" for line in one)
        yield from (f"+{line}" for line in other)
        return
    yield from unified_diff(one, other, f"a/{name}", f"b/{name}", lineterm="")


def diff_lines(one: Sequence[str], other: Sequence[str]) -> Iterator[LinePair]:
    """Give two texts side by side, line by line."""
    for tag, start, end, there, until in _opcodes(one, other, _MOST_LINES):
        if tag == "equal":
            for offset in range(end - start):
                same = (Span(one[start + offset], changed=False),)
                yield LinePair("equal", Line(start + offset + 1, same), Line(there + offset + 1, same))
        else:
            yield from _block(one, other, (start, end), (there, until))


def _block(
    one: Sequence[str], other: Sequence[str], left: tuple[int, int], right: tuple[int, int]
) -> Iterator[LinePair]:
    for offset in range(max(left[1] - left[0], right[1] - right[0])):
        here, there = left[0] + offset, right[0] + offset
        if here >= left[1]:
            yield LinePair("added", None, Line(there + 1, (Span(other[there], changed=True),)))
        elif there >= right[1]:
            yield LinePair("removed", Line(here + 1, (Span(one[here], changed=True),)), None)
        else:
            before, after = diff_words(one[here], other[there])
            yield LinePair("changed", Line(here + 1, before), Line(there + 1, after))


def diff_words(before: str, after: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Give the pieces of two lines, those marked that the other one does not have."""
    one, other = _WORDS.findall(before), _WORDS.findall(after)
    left: list[Span] = []
    right: list[Span] = []
    for tag, start, end, there, until in _opcodes(one, other, _MOST_WORDS):
        changed = tag != "equal"
        left.append(Span("".join(one[start:end]), changed))
        right.append(Span("".join(other[there:until]), changed))
    return tuple(filter(lambda span: span.text, left)), tuple(filter(lambda span: span.text, right))


def _opcodes(one: Sequence[str], other: Sequence[str], most: int) -> Sequence[tuple[str, int, int, int, int]]:
    if len(one) * len(other) > most:
        return [("replace", 0, len(one), 0, len(other))]
    return SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
