"""The journal: what the machine was fed, and what followed from it, in one transaction each."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TypeAlias

import attrs

from gepa_framework.engine import Input, Outcome
from gepa_framework.errors import WorkspaceError
from gepa_framework.types import (
    EventBody,
    JournalTable,
    RolloutFailure,
    Row,
    Rows,
    Store,
)
from gepa_framework.types.store import NO_BLOBS
from gepa_framework.workspace.chain import event_link, input_link, root
from gepa_framework.workspace.checkpoints import Checkpoints
from gepa_framework.workspace.codec import Encoded, attempt_usage, decode
from gepa_framework.workspace.event_text import event_text
from gepa_framework.workspace.shelf import DAMAGED, Kept, Shelf
from gepa_framework.workspace.texts import FORM

_Rows: TypeAlias = Sequence[Sequence[object]]


@attrs.define(eq=False)
class Record:
    """One input with everything that goes into its transaction. There is one for every rollout: it is light.

    Attributes:
        given: What the machine was fed, encoded.
        elapsed_us: Microseconds worked on the run by then.
        events: What the machine derived.
        request_digest: Digest of what was semantically asked, for an outcome.
        superseded: Failed attempts that the outcome replaced, oldest first.
        outcome: What the machine was fed, where it is an outcome; where it is left out, `given` tells.
        access: How the cache was used for it: ``hit``, ``miss`` (asked in vain), ``write`` (asked in vain,
            and what came was kept), or ``None``.
        blobs: Texts that the rows name by digest: `blob_digest` to text; those that are kept already may be
            given again.
    """

    given: Encoded
    elapsed_us: int
    events: tuple[EventBody, ...]
    request_digest: str | None = None
    superseded: tuple[RolloutFailure, ...] = ()
    outcome: Outcome | None = None
    access: str | None = None
    blobs: Mapping[str, str] = NO_BLOBS


@attrs.frozen
class Stored:
    """One input as it was found in the journal, with what was recorded to follow from it.

    Attributes:
        given: What the machine was fed; ``None`` for its start.
        elapsed_us: Microseconds worked on the run by then.
        events: Type and body of each event, as text.
    """

    given: Input | None
    elapsed_us: int
    events: tuple[tuple[str, str], ...]


@attrs.define
class Line:
    """One event as it is on disk, its body as text that was encoded once. It is light, as `Record`."""

    seq: int
    elapsed_us: int
    type: str
    body: str


class _Following:
    """Rows in the order of the inputs that they belong to, given out input by input."""

    def __init__(self, rows: Iterator[Row], *, at: int = 1) -> None:
        self._rows = rows
        self._at = at
        self.next = next(rows, None)

    def of(self, position: int) -> list[Row]:
        """Give the rows that belong to an input."""
        found = []
        while self.next is not None and self.next[self._at] == position:
            found.append(self.next)
            self.next = next(self._rows, None)
        return found


class Journal:
    """The one writer of a workspace. Not safe for concurrent calls; any thread may make them.

    Args:
        store: Keeps the rows, and is open.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        meta = self.meta()
        self._root = root(meta)
        self._shelf = Shelf(store, apart=FORM.items() <= meta.items())
        self._position, self._input_chain = self._tail("inputs")
        self._seq, self._event_chain = self._tail("events")
        self._checkpoints = Checkpoints(store)

    @classmethod
    def create(cls, store: Store, meta: Mapping[str, str]) -> Journal:
        """Begin the journal of a new run, its long texts apart where the store keeps texts."""
        with _closed_on_failure(store):
            store.create({**meta, **FORM} if getattr(store, "keeps_texts", True) else meta)
            return cls(store)

    @classmethod
    def open(cls, store: Store, *, readonly: bool = False) -> Journal:
        """Go on with the journal of an existing run, or only read it as it is at this moment."""
        with _closed_on_failure(store):
            store.open(readonly=readonly)
            return cls(store)

    @property
    def location(self) -> str:
        """Where it is, for people."""
        return self._store.location()

    @property
    def chain(self) -> str:
        """The last link of the inputs' chain, in hexadecimal digits; it stands for the whole journal."""
        return self._input_chain.hex()

    def link(self, position: int) -> str:
        """Give the link of an input, in hexadecimal digits; of position 0 what the first one is linked to."""
        if position == self._position:
            return self.chain
        with self._rows("inputs") as rows:
            links = (row[-1] for row in rows)
            found: bytes = next(itertools.islice(links, position - 1, None), b"") if position else self._root
            return found.hex()

    @property
    def inputs(self) -> int:
        """How many inputs are on record."""
        return self._position

    @property
    def events(self) -> int:
        """How many events are on record."""
        return self._seq

    @property
    def keeps_texts(self) -> bool:
        """Whether texts are kept; a store of an older schema that is only read has no place for them."""
        return bool(getattr(self._store, "keeps_texts", True))

    def _tail(self, table: JournalTable) -> tuple[int, bytes]:
        row = self._store.last(table)
        return (row[0], row[-1]) if row else (0, self._root)

    def meta(self) -> Mapping[str, str]:
        """Give what was recorded of the run when it began."""
        return self._store.meta()

    def blob(self, sha256: str) -> str:
        """Give the text under a digest, verified.

        Raises:
            WorkspaceError: It is not there, or not what was written; or another text is, that it names.
        """
        return self._shelf.text(sha256)

    def check_meta(self) -> None:
        """Hold what was recorded when the run began against the first event, which is chained to it.

        Raises:
            WorkspaceError: It was changed, or the first event was.
        """
        with self._rows("events") as rows:
            for *first, stored in itertools.islice(rows, 1):
                if event_link(self._root, first) != stored:
                    raise WorkspaceError(
                        f"{self.location}: what was recorded of the run when it began, or its first event, "
                        "is not what was written",
                        hint=DAMAGED,
                    )

    def commit(self, records: Sequence[Record]) -> list[Line]:
        """Write records in one durable transaction and give their events as they were written.

        Raises:
            DiskBudgetError: There is no room; nothing of this call is in the journal.
            WorkspaceError: The store cannot write them; nothing of this call is in the journal.
            InvariantError: A text stands under a digest that is not its own.
        """
        before = (self._position, self._input_chain, self._seq, self._event_chain)
        try:
            return self._commit(records)
        except BaseException:
            self._position, self._input_chain, self._seq, self._event_chain = before
            self._checkpoints.forget()
            self._shelf.forget()
            raise

    def _commit(self, records: Sequence[Record]) -> list[Line]:
        inputs: list[Row] = []
        attempts: list[Row] = []
        events: list[Row] = []
        lines: list[Line] = []
        for record in records:
            self._position += 1
            tried = list(self._attempt_rows(record)) if record.superseded else []
            attempts += tried
            self._add_events(record, events, lines)
            inputs.append(self._input_row(record, tried))
            if record.blobs:
                self._shelf.add(record.blobs)
        checkpoints = self._checkpoints.take(records, records[-1].elapsed_us)
        self._store.append(Rows(inputs, attempts, events, self._shelf.new, checkpoints))
        self._shelf.written()
        return lines

    def _input_row(self, record: Record, attempts: _Rows) -> tuple[object, ...]:
        given, payload = record.given, record.given.payload
        row = (
            self._position,
            given.kind,
            given.effect_id,
            record.request_digest,
            record.elapsed_us,
            self._shelf.aside(payload) if given.kind in self._shelf.inputs else payload,
            record.access,
        )
        self._input_chain = input_link(self._input_chain, row, attempts, self._event_chain)
        return (*row, self._input_chain)

    def _attempt_rows(self, record: Record) -> Iterator[tuple[object, ...]]:
        for number, failure in enumerate(record.superseded, start=1):
            usage = failure.usage
            yield (
                *(record.given.effect_id, number, self._position),
                *(failure.kind.value, failure.code, failure.message, failure.http_status),
                *(usage.prompt_tokens, usage.completion_tokens, usage.total_tokens),
                None if usage.cost_usd is None else repr(usage.cost_usd),
            )

    def _add_events(self, record: Record, rows: list[Row], lines: list[Line]) -> None:
        # In names of its own: there are several events for every rollout.
        seq, position, elapsed_us, chain = self._seq, self._position, record.elapsed_us, self._event_chain
        apart = self._shelf.events
        for event in record.events:
            seq += 1
            body, kind = event_text(event), event.type
            stored = self._shelf.aside(body) if kind in apart else body
            chain = event_link(chain, (seq, position, kind, elapsed_us, stored))
            rows.append((seq, position, kind, elapsed_us, stored, chain))
            lines.append(Line(seq, elapsed_us, kind, body))
        self._seq, self._event_chain = seq, chain

    def load(self) -> Iterator[Stored]:
        """Give what is on record in its order, each verified against the chain.

        Raises:
            WorkspaceError: A row was changed or is missing; the message names it.
        """
        with (
            self._rows("inputs") as inputs,
            self._rows("events") as events,
            self._rows("attempts") as attempts,
        ):
            yield from self._verified(inputs, _Following(events), _Following(attempts, at=2))

    def _verified(self, inputs: Iterator[Row], events: _Following, attempts: _Following) -> Iterator[Stored]:
        chain = event_chain = self._root
        kept = self._shelf.reader()
        for *row, stored in inputs:
            position, kind, effect_id, _, elapsed_us, payload, _ = row
            found = events.of(position)
            for *event, link in found:
                event_chain = event_link(event_chain, event)
                self._verify(event_chain, link, "event", event[0])
            tried = attempts.of(position)
            chain = input_link(chain, row, tried, event_chain)
            self._verify(chain, stored, "input", position)
            if kind in self._shelf.inputs:
                payload = self._shelf.back(payload, "input", position, kept)
            given = decode(Encoded(kind, effect_id, payload), tuple(map(attempt_usage, tried)))
            yield Stored(given, elapsed_us, tuple([(each[2], self._body(each, kept)) for each in found]))
        for name, rest in (("event", events), ("attempt", attempts)):
            if rest.next is not None:
                raise WorkspaceError(
                    f"{self.location}: {name} {rest.next[0]} follows from no input that is there"
                )

    def _body(self, event: Row, kept: Kept) -> str:
        body: str = event[4]
        return self._shelf.back(body, "event", event[0], kept) if event[2] in self._shelf.events else body

    def _verify(self, computed: bytes, stored: bytes, what: str, number: int) -> None:
        if computed != stored:
            raise self._damaged(what, number)

    def _damaged(self, what: str, name: object) -> WorkspaceError:
        return WorkspaceError(
            f"{self.location}: {what} {name} is not what was written",
            hint=DAMAGED,
        )

    @contextmanager
    def _rows(self, table: JournalTable, after: int = 0) -> Iterator[Iterator[Row]]:
        # A store need not be able to leave out what nobody wants to see.
        since = getattr(self._store, "events_after", None) if after else None
        rows = iter(self._store.rows(table) if since is None else since(after))
        with ExitStack() as stack:
            # A reader that stops early must not leave the store's own reader open.
            if close := getattr(rows, "close", None):
                stack.callback(close)
            yield rows

    def check(self) -> Sequence[str]:
        """Have the store look at what the chain does not cover; give what it cannot tell, a sentence each.

        Raises:
            WorkspaceError: Something there is not what was written.
        """
        look: Callable[[], Sequence[str]] | None = getattr(self._store, "check", None)
        return look() if look else ()

    def last_event(self) -> tuple[str, str]:
        """Give type and body of the last event; both are empty where there is none."""
        row = self._store.last("events")
        return (row[2], self._body(row, self.blob)) if row else ("", "")

    def extensions(self) -> Iterator[tuple[int, str]]:
        """Give position and payload of every input that raised limits, in their order."""
        with self._rows("inputs") as rows:
            for position, kind, _, _, _, payload, *_ in rows:
                if kind == "extend":
                    yield position, payload

    def lines(self, *, after: int = 0) -> Generator[Line, None, None]:
        """Give the events after the one of that number in their order; all of them where it is left out."""
        kept = self._shelf.reader()
        with self._rows("events", after) as rows:
            for row in rows:
                if row[0] > after:
                    yield Line(row[0], row[3], row[2], self._body(row, kept))

    def close(self) -> None:
        """Let go of the store; what was committed stays."""
        self._store.close()


@contextmanager
def _closed_on_failure(store: Store) -> Iterator[None]:
    try:
        yield
    except BaseException:
        store.close()
        raise
