"""The journal: what the machine was fed, and what followed from it, in one transaction each."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import attrs

from gepa_framework.engine import Input
from gepa_framework.errors import WorkspaceError
from gepa_framework.types import EventBody, RolloutFailure, Usage, body_fields, compact_json
from gepa_framework.workspace.codec import Encoded, decode
from gepa_framework.workspace.database import (
    check_revision,
    create_database,
    open_database,
    read_database,
    storage_errors,
)

_INPUT = (
    "INSERT INTO inputs (position, kind, effect_id, request_digest, elapsed_us, payload, chain) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_ATTEMPT = (
    "INSERT INTO attempts (effect_id, attempt, position, kind, code, message, http_status, prompt_tokens, "
    "completion_tokens, total_tokens, cost_usd) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_Rows: TypeAlias = Sequence[Sequence[object]]
_EVENT = "INSERT INTO events (seq, position, type, elapsed_us, body, chain) VALUES (?, ?, ?, ?, ?, ?)"


@attrs.frozen
class Record:
    """One input with everything that goes into its transaction.

    Attributes:
        given: What the machine was fed, encoded.
        elapsed_us: Microseconds worked on the run by then.
        events: What the machine derived.
        request_digest: Digest of what was semantically asked, for an outcome.
        superseded: Failed attempts that the outcome replaced, oldest first.
    """

    given: Encoded
    elapsed_us: int
    events: tuple[EventBody, ...]
    request_digest: str | None = None
    superseded: tuple[RolloutFailure, ...] = ()


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


@attrs.frozen
class Line:
    """One event as it is on disk; the body is kept as text so that it is encoded only once."""

    seq: int
    elapsed_us: int
    type: str
    body: str


def _link(chain: bytes, *parts: object) -> bytes:
    text = "\x1f".join(map(str, parts))
    return hashlib.sha256(chain + text.encode("utf-8", "surrogatepass")).digest()


def _input_link(chain: bytes, row: Sequence[object], attempts: _Rows, events: bytes) -> bytes:
    """Link an input to the one before, to its attempts, and to the last event that followed from it."""
    return _link(chain, *row, *(part for attempt in attempts for part in attempt), events.hex())


class _Following:
    """Rows in the order of the inputs that they belong to, given out input by input."""

    def __init__(self, rows: Iterator[tuple[Any, ...]], *, at: int = 1) -> None:
        self._rows = rows
        self._at = at
        self.next = next(rows, None)

    def of(self, position: int) -> list[tuple[Any, ...]]:
        """Give the rows that belong to an input."""
        found = []
        while self.next is not None and self.next[self._at] == position:
            found.append(self.next)
            self.next = next(self._rows, None)
        return found


def _usage(attempt: Sequence[Any]) -> Usage:
    prompt, completion, total, cost = attempt[-4:]
    return Usage(prompt, completion, total, None if cost is None else float(cost))


def event_text(event: EventBody) -> str:
    """Give an event's body as it is kept."""
    return compact_json(body_fields(event))


class Journal:
    """The one writer of a workspace. Not safe for concurrent calls; any thread may make them."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._db = connection
        # What was said of the run is the first link: it cannot be changed without notice either.
        self._root = _link(b"", *(part for pair in sorted(self.meta().items()) for part in pair))
        self._position, self._input_chain = self._tail("inputs", "position")
        self._seq, self._event_chain = self._tail("events", "seq")

    @classmethod
    def create(cls, path: Path, meta: Mapping[str, str]) -> Journal:
        """Begin the journal of a new run."""
        return cls._owning(path, create_database(path, meta))

    @classmethod
    def open(cls, path: Path) -> Journal:
        """Go on with the journal of an existing run."""
        return cls._owning(path, open_database(path))

    @classmethod
    def read(cls, path: Path) -> Journal:
        """Look at a journal as it is at this moment, though its run goes on; it can only be read.

        Raises:
            WorkspaceError: There is none, or it cannot be read.
        """
        connection = read_database(path)
        try:
            check_revision(connection, path)
            with storage_errors(path):
                connection.execute("BEGIN")
        except BaseException:
            connection.close()
            raise
        return cls._owning(path, connection)

    @property
    def chain(self) -> str:
        """The last link of the inputs' chain, in hexadecimal digits; it stands for the whole journal."""
        return self._input_chain.hex()

    @property
    def inputs(self) -> int:
        """How many inputs are on record."""
        return self._position

    @property
    def events(self) -> int:
        """How many events are on record."""
        return self._seq

    @classmethod
    def _owning(cls, path: Path, connection: sqlite3.Connection) -> Journal:
        try:
            return cls(path, connection)
        except BaseException:
            connection.close()
            raise

    def _tail(self, table: str, key: str) -> tuple[int, bytes]:
        with storage_errors(self.path):
            query = f"SELECT {key}, chain FROM {table} ORDER BY {key} DESC LIMIT 1"  # noqa: S608 - constants
            row = self._db.execute(query).fetchone()
        return (row[0], row[1]) if row else (0, self._root)

    def meta(self) -> Mapping[str, str]:
        """Give what was recorded of the run when it began."""
        with storage_errors(self.path):
            return dict(self._db.execute("SELECT key, value FROM meta").fetchall())

    def check_meta(self) -> None:
        """Hold what was recorded when the run began against the first event, which is chained to it.

        Raises:
            WorkspaceError: It was changed, or the first event was.
        """
        for *first, stored in list(self.query("SELECT * FROM events WHERE seq = 1")):
            if _link(self._root, *first) != stored:
                raise WorkspaceError(
                    f"{self.path}: what was recorded of the run when it began, or its first event, is not "
                    "what was written",
                    hint="the file was damaged or edited; restore it from a backup",
                )

    def commit(self, records: Sequence[Record]) -> list[Line]:
        """Write records in one durable transaction and give their events as they were written.

        Raises:
            DiskBudgetError: There is no room; nothing of this call is in the journal.
            WorkspaceError: The database cannot be written; nothing of this call is in the journal.
        """
        before = (self._position, self._input_chain, self._seq, self._event_chain)
        try:
            return self._commit(records)
        except BaseException:
            self._position, self._input_chain, self._seq, self._event_chain = before
            raise

    def _commit(self, records: Sequence[Record]) -> list[Line]:
        inputs: list[tuple[object, ...]] = []
        attempts: list[tuple[object, ...]] = []
        events: list[tuple[object, ...]] = []
        lines: list[Line] = []
        for record in records:
            self._position += 1
            tried = list(self._attempt_rows(record))
            attempts.extend(tried)
            lines.extend(self._event_rows(record, events))
            inputs.append(self._input_row(record, tried))
        with storage_errors(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany(_INPUT, inputs)
                self._db.executemany(_ATTEMPT, attempts)
                self._db.executemany(_EVENT, events)
                self._db.execute("COMMIT")
            except BaseException:
                # A full disk has rolled back already.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        return lines

    def _input_row(self, record: Record, attempts: _Rows) -> tuple[object, ...]:
        given = record.given
        row = (
            self._position,
            given.kind,
            given.effect_id,
            record.request_digest,
            record.elapsed_us,
            given.payload,
        )
        self._input_chain = _input_link(self._input_chain, row, attempts, self._event_chain)
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

    def _event_rows(self, record: Record, rows: list[tuple[object, ...]]) -> Iterator[Line]:
        for event in record.events:
            body = event_text(event)
            self._seq += 1
            row = (self._seq, self._position, event.type, record.elapsed_us, body)
            self._event_chain = _link(self._event_chain, *row)
            rows.append((*row, self._event_chain))
            yield Line(self._seq, record.elapsed_us, event.type, body)

    def load(self) -> Iterator[Stored]:
        """Give what is on record in its order, each verified against the chain.

        Raises:
            WorkspaceError: A row was changed or is missing; the message names it.
        """
        # A statement that somebody still steps through would keep the file open beyond `close`.
        with (
            closing(self.query("SELECT * FROM inputs ORDER BY position")) as inputs,
            closing(self.query("SELECT * FROM events ORDER BY seq")) as events,
            closing(self.query("SELECT * FROM attempts ORDER BY position, attempt")) as attempts,
        ):
            yield from self._verified(inputs, _Following(events), _Following(attempts, at=2))

    def _verified(
        self, inputs: Iterator[tuple[Any, ...]], events: _Following, attempts: _Following
    ) -> Iterator[Stored]:
        chain = event_chain = self._root
        for *row, stored in inputs:
            position, kind, effect_id, _, elapsed_us, payload = row
            found = events.of(position)
            for *event, link in found:
                event_chain = _link(event_chain, *event)
                self._verify(event_chain, link, "event", event[0])
            tried = attempts.of(position)
            chain = _input_link(chain, row, tried, event_chain)
            self._verify(chain, stored, "input", position)
            given = decode(Encoded(kind, effect_id, payload), tuple(map(_usage, tried)))
            yield Stored(given, elapsed_us, tuple((event[2], event[4]) for event in found))
        for name, rest in (("event", events), ("attempt", attempts)):
            if rest.next is not None:
                raise WorkspaceError(
                    f"{self.path}: {name} {rest.next[0]} follows from no input that is there"
                )

    def _verify(self, computed: bytes, stored: bytes, what: str, number: int) -> None:
        if computed != stored:
            raise WorkspaceError(
                f"{self.path}: {what} {number} is not what was written",
                hint="the file was damaged or edited; restore it from a backup",
            )

    def query(self, query: str) -> Generator[tuple[Any, ...]]:
        """Give the rows of a query as they come."""
        with storage_errors(self.path):
            for row in self._db.execute(query):  # noqa: UP028 - a reader that stops early must not close it
                yield row

    def lines(self) -> Iterator[Line]:
        """Give every event in its order."""
        for seq, elapsed_us, name, body in self.query(
            "SELECT seq, elapsed_us, type, body FROM events ORDER BY seq"
        ):
            yield Line(seq, elapsed_us, name, body)

    def close(self) -> None:
        """Let go of the database; what was committed stays."""
        self._db.close()
