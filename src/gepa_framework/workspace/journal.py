"""The journal: what the machine was fed, and what followed from it, in one transaction each."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import attrs

from gepa_framework.engine import Input
from gepa_framework.errors import WorkspaceError
from gepa_framework.types import EventBody, RolloutFailure, body_fields, compact_json
from gepa_framework.workspace.codec import Encoded, decode
from gepa_framework.workspace.database import create_database, open_database, storage_errors

_INPUT = (
    "INSERT INTO inputs (position, kind, effect_id, request_digest, elapsed_us, payload, chain) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_ATTEMPT = (
    "INSERT INTO attempts (effect_id, attempt, position, kind, code, message, http_status, prompt_tokens, "
    "completion_tokens, total_tokens, cost_usd) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
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


def event_text(event: EventBody) -> str:
    """Give an event's body as it is kept."""
    return compact_json(body_fields(event))


class Journal:
    """The one writer of a workspace. Not safe for concurrent calls; any thread may make them."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._db = connection
        self._position, self._input_chain = self._tail("inputs", "position")
        self._seq, self._event_chain = self._tail("events", "seq")

    @classmethod
    def create(cls, path: Path, meta: Mapping[str, str]) -> Journal:
        """Begin the journal of a new run."""
        return cls(path, create_database(path, meta))

    @classmethod
    def open(cls, path: Path) -> Journal:
        """Go on with the journal of an existing run."""
        return cls(path, open_database(path))

    def _tail(self, table: str, key: str) -> tuple[int, bytes]:
        with storage_errors(self.path):
            query = f"SELECT {key}, chain FROM {table} ORDER BY {key} DESC LIMIT 1"  # noqa: S608 - constants
            row = self._db.execute(query).fetchone()
        return (row[0], row[1]) if row else (0, b"")

    def meta(self) -> Mapping[str, str]:
        """Give what was recorded of the run when it began."""
        with storage_errors(self.path):
            return dict(self._db.execute("SELECT key, value FROM meta").fetchall())

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
            inputs.append(self._input_row(record))
            attempts.extend(self._attempt_rows(record, inputs[-1][2]))
            lines.extend(self._event_rows(record, events))
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

    def _input_row(self, record: Record) -> tuple[object, ...]:
        kind, effect_id, payload = record.given.kind, record.given.effect_id, record.given.payload
        self._position += 1
        self._input_chain = _link(
            self._input_chain,
            self._position,
            kind,
            effect_id,
            record.request_digest,
            record.elapsed_us,
            payload,
        )
        return (
            self._position,
            kind,
            effect_id,
            record.request_digest,
            record.elapsed_us,
            payload,
            self._input_chain,
        )

    def _attempt_rows(self, record: Record, effect_id: object) -> Iterator[tuple[object, ...]]:
        for number, failure in enumerate(record.superseded, start=1):
            usage = failure.usage
            yield (
                *(effect_id, number, self._position, failure.kind.value, failure.code, failure.message),
                *(failure.http_status, usage.prompt_tokens, usage.completion_tokens, usage.total_tokens),
                None if usage.cost_usd is None else repr(usage.cost_usd),
            )

    def _event_rows(self, record: Record, rows: list[tuple[object, ...]]) -> Iterator[Line]:
        for event in record.events:
            body = event_text(event)
            self._seq += 1
            self._event_chain = _link(self._event_chain, self._seq, event.type, body)
            rows.append((self._seq, self._position, event.type, record.elapsed_us, body, self._event_chain))
            yield Line(self._seq, record.elapsed_us, event.type, body)

    def load(self) -> Iterator[Stored]:
        """Give what is on record in its order, each verified against the chain.

        Raises:
            WorkspaceError: A row was changed or is missing; the message names it.
        """
        chain, event_chain = b"", b""
        events = self._stored_events()
        pending = next(events, None)
        for row in self._rows("SELECT * FROM inputs ORDER BY position"):
            position, kind, effect_id, request_digest, elapsed_us, payload, stored = row
            chain = _link(chain, position, kind, effect_id, request_digest, elapsed_us, payload)
            self._verify(chain, stored, "input", position)
            found: list[tuple[str, str]] = []
            while pending is not None and pending[1] == position:
                seq, _, name, _, body, link = pending
                event_chain = _link(event_chain, seq, name, body)
                self._verify(event_chain, link, "event", seq)
                found.append((name, body))
                pending = next(events, None)
            given = decode(Encoded(kind, effect_id, payload))
            yield Stored(given, elapsed_us, tuple(found))
        if pending is not None:
            raise WorkspaceError(f"{self.path}: event {pending[0]} follows from no input that is there")

    def _verify(self, computed: bytes, stored: bytes, what: str, number: int) -> None:
        if computed != stored:
            raise WorkspaceError(
                f"{self.path}: {what} {number} is not what was written",
                hint="the file was damaged or edited; restore it from a backup",
            )

    def _stored_events(self) -> Iterator[tuple[int, int, str, int, str, bytes]]:
        return self._rows("SELECT seq, position, type, elapsed_us, body, chain FROM events ORDER BY seq")

    def _rows(self, query: str) -> Iterator[tuple]:  # type: ignore[type-arg]
        with storage_errors(self.path):
            yield from self._db.execute(query)

    def lines(self) -> Iterator[Line]:
        """Give every event in its order."""
        for seq, elapsed_us, name, body in self._rows(
            "SELECT seq, elapsed_us, type, body FROM events ORDER BY seq"
        ):
            yield Line(seq, elapsed_us, name, body)

    def close(self) -> None:
        """Let go of the database; what was committed stays."""
        self._db.close()
