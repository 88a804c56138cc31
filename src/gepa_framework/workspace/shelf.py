"""The shelf: the texts of a journal, put aside as its rows are written, and back as they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Final, Protocol, TypeAlias

from gepa_framework.errors import InvariantError, WorkspaceError
from gepa_framework.workspace.texts import EVENTS, INPUTS, blob_digest, is_text_of, put_aside, put_back

#: What the chain, or a digest, does not bear out.
DAMAGED: Final = "it was damaged or edited, or its store lost something; restore it from a backup"
#: Texts that a reader of many rows holds: a candidate has most of its texts from its parent.
_HELD: Final = 64
#: Digests of texts that the writer remembers to be on record.
_KNOWN: Final = 10_000

#: Gives the text under a digest.
Kept: TypeAlias = Callable[[str], str]


class Texts(Protocol):
    """What has texts: a store, or whoever reads the tables of one."""

    def location(self) -> str:
        """Say where they are, for people."""
        ...

    def blob(self, sha256: str) -> str | None:
        """Give the text under a digest, or ``None`` where there is none."""
        ...


class Shelf:
    """Puts texts aside and back. What it is given between two calls of `written` is of one transaction.

    Args:
        store: Has the texts.
        apart: Whether the rows of this run name their long texts; if not, they hold them.

    Attributes:
        inputs: Kinds of input whose long texts stand apart.
        events: Types of event whose long texts stand apart.
        new: Texts that are not known to be on record, by their digest.
    """

    def __init__(self, store: Texts, *, apart: bool) -> None:
        self._store = store
        self._apart = apart
        self._known: set[str] = set()
        # Asked for every row, most of which are of other kinds.
        self.inputs = INPUTS if apart else frozenset()
        self.events = EVENTS if apart else frozenset()
        self.new: dict[str, str] = {}

    def aside(self, text: str) -> str:
        """Give a row's JSON as it is kept."""
        apart: dict[str, str] = {}
        stored = put_aside(text, apart)
        self._put(apart)
        return stored

    def add(self, blobs: Mapping[str, str]) -> None:
        """Put texts on the shelf that rows name by themselves; where they are JSON, their texts apart.

        Raises:
            InvariantError: A text stands under a digest that is not its own.
        """
        for sha256, text in blobs.items():
            if blob_digest(text) != sha256:
                raise InvariantError(f"a text of {len(text)} characters is to be kept as {sha256}")
            if sha256 not in self._known and sha256 not in self.new:
                self.new[sha256] = self._stored(text)

    def _stored(self, text: str) -> str:
        if not self._apart:
            return text
        apart: dict[str, str] = {}
        stored = put_aside(text, apart)
        if put_back(stored, apart.__getitem__) != text:
            return text  # it is no JSON, or not as it is written here
        self._put(apart)
        return stored

    def _put(self, texts: Mapping[str, str]) -> None:
        for sha256, text in texts.items():
            if sha256 not in self._known:
                self.new[sha256] = text

    def written(self) -> None:
        """Remember that what is new is on record."""
        if self.new:
            if len(self._known) > _KNOWN:
                self._known.clear()
            self._known.update(self.new)
            self.new = {}

    def forget(self) -> None:
        """Let go of what is new: it is not on record."""
        self.new = {}

    def text(self, sha256: str) -> str:
        """Give the text under a digest, verified.

        Raises:
            WorkspaceError: It is not there, or not what was written; or another text is, that it names.
        """
        return self._text(sha256, ())

    def _text(self, sha256: str, inside: tuple[str, ...]) -> str:
        text = self._store.blob(sha256)
        if text is None:
            raise WorkspaceError(f"{self._store.location()}: there is no text {sha256}", hint=DAMAGED)
        if is_text_of(text, sha256):
            return text
        if sha256 not in inside:
            within = (*inside, sha256)
            with _named_by("text", sha256):
                whole = put_back(text, lambda each: self._text(each, within))
            if is_text_of(whole, sha256):
                return whole
        raise WorkspaceError(f"{self._store.location()}: text {sha256} is not what was written", hint=DAMAGED)

    def reader(self) -> Kept:
        """Give what gives texts to someone who goes through many rows, and holds those of late."""
        return lru_cache(_HELD)(self.text)

    def back(self, text: str, what: str, number: int, kept: Kept) -> str:
        """Give a row's JSON as it was given; raises what `text` raises, and names the row."""
        with _named_by(what, number):
            return put_back(text, kept)


@contextmanager
def _named_by(what: str, name: object) -> Iterator[None]:
    try:
        yield
    except WorkspaceError as error:
        raise WorkspaceError(f"{error.message}; {what} {name} names it", hint=error.hint) from error
