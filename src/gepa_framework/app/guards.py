"""Guards around plugins that the machine and the journal call, so that their trouble bears their name."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import attrs

from gepa_framework.errors import GepaError, PluginBrokenError
from gepa_framework.runtime import FOREIGN
from gepa_framework.types import COLUMNS, JournalTable, Row, Rows, RunView, Stopper, StopReason, Store
from gepa_framework.workspace import Tally

_LOGGER = logging.getLogger(__name__)
#: A row may hold a whole container's answer.
_SHOWN = 500


@attrs.frozen
class GuardedStopper:
    """A stopper whose owner is known.

    Attributes:
        owner: Whose it is, in the words of errors.
        stopper: What it built.
    """

    owner: str
    stopper: Stopper

    def check(self, view: RunView) -> StopReason | None:
        """Ask the stopper.

        Raises:
            PluginBrokenError: It raised, or gave what is neither a reason nor ``None``.
        """
        try:
            reason = self.stopper.check(view)
        except FOREIGN as error:
            text = f"{self.owner} raised {type(error).__name__}: {error}"
            raise PluginBrokenError(text, hint="mend it and resume the run") from error
        if reason is not None and not isinstance(reason, StopReason):
            if inspect.iscoroutine(reason):
                reason.close()
            raise PluginBrokenError(
                f"{self.owner} gave {type(reason).__name__}",
                hint="return a StopReason or None, and resume the run",
            )
        return reason


@attrs.frozen
class GuardedStore:
    """A store whose owner is known: it raises `GepaError` free of secrets only, and what it gives is checked.

    Attributes:
        owner: Whose it is, in the words of errors.
        store: What it built.
        redact: Takes secrets out of a text.
    """

    owner: str
    store: Store
    redact: Callable[[str], str] = str

    def location(self) -> str:
        """Say where the journal is."""
        return self.redact(self._given("location", str))

    def exists(self) -> bool:
        """Tell whether it is there."""
        given: bool = self._given("exists", bool)
        return given

    def create(self, meta: Mapping[str, str]) -> None:
        """Begin it."""
        self._given("create", None, meta)

    def open(self, *, readonly: bool = False) -> None:
        """Open it."""
        self._given("open", None, readonly=readonly)

    def meta(self) -> Mapping[str, str]:
        """Give what it was begun with."""
        given: Mapping[str, str] = self._given("meta", Mapping)
        if not all(isinstance(part, str) for pair in given.items() for part in pair):
            raise self._broken("meta", f"gave {given!r}", "texts by names are expected")
        return given

    def append(self, rows: Rows) -> None:
        """Add rows."""
        self._given("append", None, rows)

    def rows(self, table: JournalTable) -> Iterator[Row]:
        """Give the rows of a table, each checked."""
        return self._checked("rows", table, self.store.rows, table)

    @property
    def events_after(self) -> Callable[[int], Iterator[Row]] | None:
        """What gives the events after a number, each checked, where the store has it."""
        given: Callable[[int], Iterator[Row]] | None = getattr(self.store, "events_after", None)
        if given is None:
            return None
        return lambda seq: self._checked("events_after", "events", given, seq)

    def _checked(
        self, method: str, table: JournalTable, give: Callable[[Any], Iterator[Row]], of: object
    ) -> Iterator[Row]:
        types = tuple(COLUMNS[table].values())
        with self._owned(method), ExitStack() as stack:
            found = iter(give(of))
            if close := getattr(found, "close", None):
                stack.callback(close)
            for row in found:
                self._check_row(method, table, row, types)
                yield row

    def last(self, table: JournalTable) -> Row | None:
        """Give the last row of a table, checked."""
        with self._owned("last"):
            row = self.store.last(table)
        if row is not None:
            self._check_row("last", table, row, tuple(COLUMNS[table].values()))
        return row

    @property
    def keeps_texts(self) -> bool:
        """Whether texts are kept; they are, unless the store says otherwise."""
        return getattr(self.store, "keeps_texts", True) is not False

    @property
    def tally(self) -> Callable[[], Tally] | None:
        """What gives the counts of what is on record, where the store has it."""
        found: Callable[[], Tally] | None = getattr(self.store, "tally", None)
        return found

    @property
    def keep_artifacts(self) -> Callable[[Sequence[Row]], None] | None:
        """What keeps the digests of the files that are made from the journal, where the store has it."""
        found: Callable[[Sequence[Row]], None] | None = getattr(self.store, "keep_artifacts", None)
        return found

    def check(self) -> Sequence[str]:
        """Have it look at what it keeps, where it can."""
        if not hasattr(self.store, "check"):
            return ()
        given: Sequence[str] = self._given("check", (list, tuple))
        return given

    def blob(self, sha256: str) -> str | None:
        """Give the text under a digest."""
        given: str | None = self._given("blob", (str, type(None)), sha256)
        return given

    def close(self) -> None:
        """Let go of it; what was appended stays, so that trouble with that is no more than a warning."""
        try:
            self._given("close", None)
        except GepaError as error:
            _LOGGER.warning("%s did not close: %s", self.owner, error)

    def _given(self, method: str, kind: Any, *args: object, **options: object) -> Any:
        """Call a method and give what it gave; `kind` is its type, or `None` for nothing at all."""
        with self._owned(method):
            given = getattr(self.store, method)(*args, **options)
        if inspect.iscoroutine(given):
            given.close()
            raise self._broken(method, "is asynchronous", "a store is called from a thread that may wait")
        if not (given is None if kind is None else isinstance(given, kind)):
            raise self._broken(method, f"gave {given!r}", "give what the Protocol Store says")
        return given

    def _check_row(self, method: str, table: str, row: object, types: tuple[Any, ...]) -> None:
        if (
            not isinstance(row, tuple | list)
            or len(row) != len(types)
            or not all(map(isinstance, row, types))
        ):
            cure = "give values back as they were appended"
            with suppress(GepaError):
                cure += f", unless it is what {self.location()} holds that was damaged"
            raise self._broken(method, f"gave as a row of {table} {row!r}", cure)

    @contextmanager
    def _owned(self, method: str) -> Iterator[None]:
        try:
            yield
        except GepaError as error:
            error.message, error.hint = self.redact(error.message), self.redact(error.hint)
            raise
        except FOREIGN as error:
            told = self.redact(f"raised {type(error).__name__}: {error}")
            raise self._broken(method, told, "mend it and resume the run") from error

    def _broken(self, method: str, what: str, cure: str) -> PluginBrokenError:
        shown = self.redact(what)
        return PluginBrokenError(f"{self.owner}: {method} {shown[:_SHOWN]}", hint=cure)
