"""Words and word pairs: what the lexical policy and the reflector see of a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

_WORD = re.compile(r"[a-z0-9$£€%]+")
_VOWELS = frozenset("aeiouy")
#: Longest ending first; what is left must keep this many letters and a vowel.
_ENDINGS = (("ies", "y", 3), ("sses", "ss", 3), ("ing", "", 3), ("ed", "", 3), ("es", "", 3), ("s", "", 3))
#: Words of up to this many letters keep their last one.
_SHORT = 3
_CACHED_TEXTS = 32_768
_CACHED_WORDS = 65_536


@lru_cache(maxsize=_CACHED_WORDS)
def stem(word: str) -> str:
    """Take the commonest English endings off, so that ``charged`` and ``charges`` are one word."""
    for ending, instead, least in _ENDINGS:
        base = word.removesuffix(ending)
        if base != word and len(base) >= least and _VOWELS & set(base) and not word.endswith("ss"):
            return _tidy(base + instead)
    return _tidy(word)


def _tidy(base: str) -> str:
    if len(base) <= _SHORT:
        return base
    doubled = base[-1] == base[-2] and base[-1] not in "lsz"
    return base[:-1] if doubled or base.endswith("e") else base


def words_of(text: str) -> tuple[str, ...]:
    """Give the words of a text as they are written, lower-cased, without apostrophes."""
    plain = text.lower().replace("\u2019", "").replace("'", "")
    return tuple(_WORD.findall(plain))


@lru_cache(maxsize=_CACHED_TEXTS)
def terms_of(text: str) -> tuple[str, ...]:
    """Give stems and pairs of neighbouring stems, each once, in order of appearance."""
    return tuple(dict.fromkeys(_terms(text)))


def _terms(text: str) -> Iterator[str]:
    stems = [stem(word) for word in words_of(text)]
    yield from stems
    for left, right in pairwise(stems):
        yield f"{left} {right}"
