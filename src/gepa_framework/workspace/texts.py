"""Long texts, each kept once: where one would stand in stored JSON, there is an object that names it.

``{"$text":"<SHA-256>"}`` is a reference. A key of the writer's own that is called ``$text``, or that with
further dollar signs before it, gets one more, so that no value is mistaken for a reference.

It is done to the text of the JSON and not to its values, so that what is put back is the same to the last
character. In JSON without spaces a quotation mark within a string has a backslash before it, and never one
of ``{`` and ``,``: what is looked for is found where it is a key, and nowhere else.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from json.encoder import encode_basestring
from typing import Final

from gepa_framework.errors import InvariantError

#: Characters of a string, as JSON has it, above which it is kept by itself: a reference has 76, and its row
#: twice the digest.
LONG: Final = 256
#: What is said of a run whose rows are kept so. Those of a run that was begun before hold everything.
FORM: Final[Mapping[str, str]] = {"texts": "once"}
#: Kinds of input that can hold texts which stand elsewhere too. A rollout's stand nowhere else but in the
#: evidence that is made of it, and there are too many rollouts to look at each.
INPUTS: Final = frozenset(("program", "rows", "proposal"))
#: The same of types of event.
EVENTS: Final = frozenset(("candidate.registered",))

_MARK: Final = '$text":'
_STRING: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
#: Quotation marks so far apart that what is between them may be a long string.
_FAR_APART: Final = re.compile(f'"[^"]{{{LONG - 1}}}')
_KEY: Final = re.compile(r'(?<=[{,])"(?=\$+text":)')
_PUT_ASIDE: Final = re.compile(r'\{"\$text":"([0-9a-f]{64})"\}|(?<=[{,])"\$(?=\$+text":)')


def blob_digest(text: str) -> str:
    """Give the digest under which a text is kept.

    Raises:
        InvariantError: The text has no UTF-8 form; as JSON it has one.
    """
    try:
        return hashlib.sha256(text.encode()).hexdigest()
    except UnicodeEncodeError as error:
        raise InvariantError(f"a text with a lone surrogate is to be kept as it is: {error}") from error


def is_text_of(text: str, sha256: str) -> bool:
    """Tell whether a text is the one of a digest."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() == sha256


def put_aside(text: str, texts: MutableMapping[str, str]) -> str:
    """Give JSON with references in the place of its long texts.

    Args:
        text: JSON without spaces.
        texts: Where the long texts are put, by their digest.
    """
    if _MARK in text:
        text = _KEY.sub('"$', text)
    return "".join(_pieces(text, texts)) if _may_hold_any(text) else text


def _may_hold_any(text: str) -> bool:
    """Tell at a glance whether JSON may have a long string: what is between two quotation marks has none."""
    if len(text) <= LONG or '\\"' in text:
        return len(text) > LONG
    return _FAR_APART.search(text) is not None


def _pieces(text: str, texts: MutableMapping[str, str]) -> Iterator[str]:
    done = 0
    for found in _STRING.finditer(text):
        start, end = found.span()
        # A key stays where it is: a query names it.
        if end - start <= LONG or text[end : end + 1] == ":":
            continue
        if (long := _kept_text(found[0])) is not None:
            sha256 = blob_digest(long)
            texts[sha256] = long
            yield text[done:start]
            yield f'{{"$text":"{sha256}"}}'
            done = end
    yield text[done:]


def _kept_text(string: str) -> str | None:
    """Give the text of a JSON string, if any store takes it and it is written just so."""
    try:
        long: str = json.loads(string)
    except ValueError:
        return None  # what is kept need not be JSON
    # Text that must be ASCII, for a lone surrogate somewhere, is written in another way.
    return long if "\x00" not in long and encode_basestring(long) == string else None


def put_back(text: str, kept: Callable[[str], str]) -> str:
    """Give JSON as it was before `put_aside`.

    Args:
        text: The JSON with references.
        kept: Gives the text under a digest.
    """
    if _MARK not in text:
        return text

    def whole(found: re.Match[str]) -> str:
        return encode_basestring(kept(found[1])) if found[1] else '"'

    return _PUT_ASIDE.sub(whole, text)


def references(text: str) -> tuple[str, ...]:
    """Give the digests of the texts that stored JSON names."""
    return tuple(found[1] for found in _PUT_ASIDE.finditer(text) if found[1]) if _MARK in text else ()
