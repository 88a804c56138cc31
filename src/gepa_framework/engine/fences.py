"""Code fences in a text, read as leniently as people write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeAlias

#: A line that is a fence: in a list or a quotation, perhaps, and with a word or more about what is fenced.
_FENCE: Final = re.compile(r"[ \t]*(?:(?:[-*+>]|\d{1,3}[.)])[ \t]+)*(`{3,})([^`]*)")
#: A fence as nobody writes one by chance.
_PLAIN_INFO: Final = re.compile(r"[\w+#.-]*")

#: Length of the marks and what stands behind them, of each fence, with the number of its line.
_Fences: TypeAlias = Sequence[tuple[int, int, str]]


def ends_in_fence(text: str) -> bool:
    """Tell whether a fence is open at the end of the text, however it is read.

    Fences inside of fences, and prose that begins like one, can be read in several ways. Only what is open
    in all of them was cut off for certain.
    """
    fences = _fences(text)
    plain = [fence for fence in fences if _PLAIN_INFO.fullmatch(fence[2])]
    return _flat(fences) and _flat(plain) and _depths(fences)[-1] > 0


def is_one_fence(text: str) -> bool:
    """Tell whether the whole text stands in one fence, apart from white space around it."""
    text = text.strip()
    fences, last = _fences(text), len(text.splitlines()) - 1
    if not fences or (fences[0][0], fences[-1][0]) != (0, last):
        return False
    *before, end = _depths(fences)
    return end == 0 and all(before)


def _fences(text: str) -> _Fences:
    matches = ((number, _FENCE.fullmatch(line)) for number, line in enumerate(text.splitlines()))
    return [(number, len(match[1]), match[2].strip()) for number, match in matches if match]


def _flat(fences: _Fences) -> bool:
    """Read them as Markdown does: in a fence, only one that is bare and long enough means anything."""
    opened = 0
    for _, marks, info in fences:
        if not opened:
            opened = marks
        elif not info and marks >= opened:
            opened = 0
    return bool(opened)


def _depths(fences: _Fences) -> list[int]:
    """Read them as brackets and give how many are open behind each.

    A fence with a word behind it opens; a bare one closes the latest, or opens where none is open.
    """
    opened: list[int] = []
    depths: list[int] = []
    for _, marks, info in fences:
        if opened and not info and marks >= opened[-1]:
            opened.pop()
        else:
            opened.append(marks)
        depths.append(len(opened))
    return depths
