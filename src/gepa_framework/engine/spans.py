"""Spans: finding what a text has in common with a set of texts, in time linear in the text.

Every common span of so many characters holds one of the short pieces that are taken from the known texts at
equal distances. A text is looked through for these pieces alone, and what surrounds one is compared.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Final

import attrs

from gepa_framework.types import JSONValue

#: Between known texts; `normalised` leaves none in a text.
_BOUNDARY: Final = "\n"
#: A piece with more different surroundings than this is looked up by whole spans.
_MANY: Final = 32
_QUOTED_CHARS: Final = 60


def normalised(text: str) -> str:
    """Give a text without regard to case and to how its words are set apart."""
    return " ".join(text.casefold().split())


def strings(value: JSONValue) -> Iterator[str]:
    """Give the texts in a value, keys left out, in their order; without recursion."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping):
            waiting.extend(reversed(list(one.values())))
        elif isinstance(one, list | tuple):
            waiting.extend(reversed(one))


def windows(texts: Iterable[str], length: int) -> set[str]:
    """Give every span of a length that normalised texts hold."""
    return {text[at : at + length] for text in texts for at in range(len(text) - length + 1)}


@attrs.frozen
class Span:
    """What a text has in common with a known one.

    Attributes:
        owner: Whose text it is.
        text: Its beginning, normalised.
        chars: Its length in characters, normalised.
    """

    owner: str
    text: str
    chars: int


class Spans:
    """Known texts, prepared to be found again.

    Args:
        length: Characters from which on a common span counts; at least 1.
        texts: Owner and text; of equal texts the first owner counts.
        public: Texts whose spans do not count.
    """

    def __init__(self, length: int, texts: Iterable[tuple[str, str]], public: Iterable[str] = ()) -> None:
        self._length = length
        self._piece = max(1, length // 2)
        self._owners: list[str] = []
        self._starts: list[int] = []
        self._all = self._joined(texts)
        self._places: dict[str, tuple[int, ...]] = {}
        self._spans: set[str] = set()
        self._index()
        self._public = windows(map(normalised, public), length) if self._places else set()

    def _joined(self, texts: Iterable[tuple[str, str]]) -> str:
        known: dict[str, str] = {}
        for owner, text in texts:
            if len(plain := normalised(text)) >= self._length:
                known.setdefault(plain, owner)
        at = 1
        for text, owner in known.items():
            self._owners.append(owner)
            self._starts.append(at)
            at += len(text) + 1
        return _BOUNDARY + "".join(text + _BOUNDARY for text in known)

    def _index(self) -> None:
        """Take a piece at every so manieth character: each span of the length holds exactly one of them."""
        found: dict[str, list[int]] = {}
        ends = chain(self._starts[1:], (len(self._all),))
        for start, end in zip(self._starts, ends, strict=False):
            for at in range(start, end - self._piece, self._length - self._piece + 1):
                found.setdefault(self._all[at : at + self._piece], []).append(at)
        for piece, places in found.items():
            different: dict[tuple[str, str], int] = {}
            for at in places:
                different.setdefault(self._around(at), at)
            self._places[piece] = tuple(different.values()) if len(different) <= _MANY else ()
            if len(different) > _MANY:
                self._take_whole(different.values())

    def _around(self, at: int) -> tuple[str, str]:
        """Give what decides which spans with the piece at this place are known."""
        begin = max(0, at + self._piece - self._length)
        return self._all[begin:at], self._all[at : at + self._length]

    def _take_whole(self, places: Iterable[int]) -> None:
        for at in places:
            for begin in range(max(0, at + self._piece - self._length), at + 1):
                span = self._all[begin : begin + self._length]
                if len(span) == self._length and _BOUNDARY not in span:
                    self._spans.add(span)

    def find(self, text: str, public: Iterable[str] = ()) -> Span | None:
        """Give a span that a text shares with a known one and with nothing public.

        Args:
            text: The text, as written.
            public: Further texts whose spans do not count.
        """
        if not self._places:
            return None
        plain = normalised(text)
        allowed: set[str] | None = None
        for begin in self._common(plain):
            if allowed is None:
                allowed = windows(map(normalised, public), self._length)
            span = plain[begin : begin + self._length]
            if span not in allowed and span not in self._public:
                return self._whole(plain, begin)
        return None

    def _common(self, text: str) -> Iterator[int]:
        """Give where each common span begins in the text."""
        places, piece = self._places, self._piece
        for at in range(len(text) - piece + 1):
            found = places.get(text[at : at + piece])
            if found is None:
                continue
            beginnings = range(max(0, at + piece - self._length), min(at, len(text) - self._length) + 1)
            for begin in beginnings:
                if self._among(found, text[begin : begin + self._length], at - begin):
                    yield begin

    def _among(self, places: tuple[int, ...], span: str, offset: int) -> bool:
        """Tell whether a span with a piece at an offset is known, from where that piece is."""
        if not places:
            return span in self._spans
        return any(place >= offset and self._all.startswith(span, place - offset) for place in places)

    def _whole(self, text: str, begin: int) -> Span:
        """Give the common span to its end, with the first owner that it has."""
        place = self._all.find(text[begin : begin + self._length])
        end, last = begin, place
        while end < len(text) and text[end] == self._all[last]:
            end, last = end + 1, last + 1
        owner = self._owners[bisect_right(self._starts, place) - 1]
        return Span(owner, text[begin : min(end, begin + _QUOTED_CHARS)], end - begin)
