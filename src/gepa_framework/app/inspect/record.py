"""What is on record of a run, as rows that are read and never written, whoever works on the run meanwhile."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import attrs

from gepa_framework.app import files
from gepa_framework.app.inspect.rollouts import Rollouts
from gepa_framework.app.reading import read_run
from gepa_framework.app.stores import recorded_store
from gepa_framework.errors import WorkspaceError
from gepa_framework.workspace import shelf_of, storage_errors

_EVENTS = "SELECT seq, elapsed_us, type, body FROM events ORDER BY seq"
_ROLLOUTS = {"rollout.completed": False, "rollout.failed": True}
#: Bodies that are decoded at once, which takes half the time of decoding each.
_AT_ONCE = 2000
_DAMAGED = "gepa verify names what was damaged; restore it from a backup"


@attrs.frozen
class Fact:
    """An event that is no rollout.

    Attributes:
        seq: Its number.
        elapsed_seconds: Time that the run had been worked on.
        type: Its type, such as ``candidate.accepted``.
        body: Its fields.
    """

    seq: int
    elapsed_seconds: float
    type: str
    body: Mapping[str, Any]


@attrs.frozen
class Record:
    """A run as it is on record at one moment.

    Attributes:
        run_dir: The run's directory.
        location: Where the journal is, for people.
        meta: What was recorded when the run began; empty where nothing is on record yet.
        facts: Its events in their order, those of rollouts aside.
        rollouts: What its rollouts come to.
        elapsed_seconds: Time that the run had been worked on by its last event.
    """

    run_dir: Path
    location: str
    meta: Mapping[str, str] = attrs.field(repr=False)
    facts: Sequence[Fact] = attrs.field(repr=False)
    rollouts: Rollouts = attrs.field(repr=False)
    elapsed_seconds: float
    _connection: sqlite3.Connection = attrs.field(repr=False)

    @property
    def run_id(self) -> str:
        """The run's name."""
        return self.meta.get("run_id") or self.run_dir.resolve().name

    def of(self, *types: str) -> Iterator[Fact]:
        """Give the events of some types in their order."""
        return (fact for fact in self.facts if fact.type in types)

    def last(self, *types: str) -> Fact | None:
        """Give the last event of some types, if there is one."""
        return next((fact for fact in reversed(self.facts) if fact.type in types), None)

    def rows(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        """Ask the tables and views of the workspace.

        Raises:
            WorkspaceError: They cannot be read.
        """
        with storage_errors(Path(self.location)):
            return self._connection.execute(query, values).fetchall()


@contextmanager
def reading(run_dir: Path) -> Iterator[tuple[str, sqlite3.Connection]]:
    """Give where a run's journal is, and a connection that sees its rows as they are at one moment.

    Nothing is written, and nobody who writes has to wait.

    Raises:
        WorkspaceError: There is no run, or it cannot be read.
        PluginError: Its journal is in a store that cannot be used.
    """
    if not run_dir.is_dir():
        raise WorkspaceError(f"{run_dir} is no directory", hint="name the directory of a run")
    location, connection = _location(run_dir), read_run(run_dir)
    with closing(connection), storage_errors(Path(location)):
        connection.execute("BEGIN")
        yield location, connection


def _location(run_dir: Path) -> str:
    path = run_dir / files.WORKSPACE
    if path.is_file():
        return str(path)
    if not (run_dir / files.STORE).is_file():
        raise WorkspaceError(f"there is no run in {run_dir}", hint="name the directory of a run")
    return recorded_store(run_dir, accept_changed_plugins=True).location()


@contextmanager
def open_record(run_dir: Path) -> Iterator[Record]:
    """Look at a run as it is at this moment; raises what `reading` raises."""
    with reading(run_dir) as (location, connection):
        meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
        facts: list[Fact] = []
        rollouts, elapsed_us = Rollouts(), 0
        for seq, elapsed_us, name, body in _events(location, connection):
            failed = _ROLLOUTS.get(name)
            if failed is None:
                facts.append(Fact(seq, elapsed_us / 1e6, name, body))
            else:
                rollouts.take(seq, body, failed=failed)
        yield Record(run_dir, location, meta, facts, rollouts, elapsed_us / 1e6, connection)


def _events(location: str, connection: sqlite3.Connection) -> Iterator[tuple[int, int, str, Any]]:
    cursor, shelf = connection.execute(_EVENTS), shelf_of(connection, location)
    kept = shelf.reader()
    while rows := cursor.fetchmany(_AT_ONCE):
        rows = [
            (*head, name, shelf.back(text, "event", head[0], kept) if name in shelf.events else text)
            for *head, name, text in rows
        ]
        for (*head, _), body in zip(rows, _bodies(location, rows), strict=True):
            yield *head, body


def _bodies(location: str, rows: Sequence[Sequence[Any]]) -> list[Any]:
    try:
        bodies: list[Any] = json.loads(f"[{','.join(row[3] for row in rows)}]")
    except (ValueError, TypeError):
        bodies = []
    if len(bodies) == len(rows):
        return bodies
    return [_body(location, seq, text) for seq, _, _, text in rows]


def _body(location: str, seq: int, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, TypeError) as error:
        raise WorkspaceError(
            f"{location}: event {seq} is not what was written: {error}", hint=_DAMAGED
        ) from error
