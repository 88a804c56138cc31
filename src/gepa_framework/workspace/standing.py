"""Where a run stands, read at one moment in a time that does not grow with the run."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from gepa_framework.workspace.checkpoints import ENDINGS, read_tally
from gepa_framework.workspace.views.states import RUN_STATES


@attrs.frozen
class Transition:
    """A change of state.

    Attributes:
        seq: The event that brought it.
        before: The state before.
        after: The state since.
        trigger: Type of the event.
    """

    seq: int
    before: str
    after: str
    trigger: str


@attrs.frozen
class Standing:
    """Where a run stands.

    Attributes:
        meta: What was recorded when it began.
        counts: What is on record, as a tally has it.
        inputs: Inputs on record.
        events: Events on record.
        chain: Last link of the inputs, in hexadecimal digits; empty where there are none.
        elapsed_seconds: Time worked on it.
        ending: Type of the event that ended it; empty while it is not over.
        iteration: The iteration that was begun last.
        best_candidate_id: The best by what is known so far; empty where nothing is.
        best_score: Its mean reward on the Pareto rows.
        limits: The limits that hold, by name.
        transition: The latest change of state; ``None`` before there is one.
        checkpoints: Checkpoints by kind.
        checkpoint: Position and event of the newest one; zeros where there is none.
        texts: Texts that are kept by their digest.
        views: Name to statement of every view that is there.
    """

    meta: Mapping[str, str] = attrs.field(repr=False)
    counts: Mapping[str, Mapping[str, int]]
    inputs: int
    events: int
    chain: str
    elapsed_seconds: float
    ending: str
    iteration: int
    best_candidate_id: str
    best_score: float | None
    limits: Mapping[str, Any]
    transition: Transition | None
    checkpoints: Mapping[str, int]
    checkpoint: tuple[int, int]
    texts: int
    views: Mapping[str, str] = attrs.field(repr=False)


def read_standing(connection: sqlite3.Connection, *, afresh: bool = False) -> Standing:
    """Read where a run stands.

    Args:
        connection: To a database of a workspace of any schema; all that is read should be of one moment.
        afresh: Count all rows, whatever the checkpoints say.
    """
    tally = read_tally(connection, afresh=afresh)
    reader = _Reader(connection, tally.counts()["events"])
    last = reader.last(tuple(reader.types))
    position, elapsed_us, chain = reader.one(
        "SELECT position, elapsed_us, chain FROM inputs ORDER BY position DESC LIMIT 1"
    ) or (0, 0, b"")
    best, score = reader.best()
    return Standing(
        meta=dict(connection.execute("SELECT key, value FROM meta").fetchall()),
        counts=tally.counts(),
        inputs=int(position),
        events=last[0],
        chain=bytes(chain).hex(),
        elapsed_seconds=elapsed_us / 1e6,
        ending=last[1] if last[1] in ENDINGS else "",
        iteration=reader.iteration(),
        best_candidate_id=best,
        best_score=score,
        limits=reader.limits(),
        transition=reader.transition(),
        checkpoints=reader.kinds(),
        checkpoint=reader.newest_checkpoint(),
        texts=reader.texts(),
        views=dict(reader.all("SELECT name, sql FROM sqlite_master WHERE type = 'view' ORDER BY name")),
    )


class _Reader:
    """Finds single events from the end, and looks for none that are not there."""

    def __init__(self, connection: sqlite3.Connection, types: Mapping[str, int]) -> None:
        self._connection = connection
        self.types = types
        self._tables = {name for (name,) in self.all("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def one(self, query: str, *values: object) -> Any:
        return self._connection.execute(query, values).fetchone()

    def all(self, query: str) -> list[Any]:
        return self._connection.execute(query).fetchall()

    def last(self, types: Sequence[str], before: int | None = None) -> tuple[int, str, str]:
        """Give number, type and body of the last event of some types; nothing where there is none."""
        types = [name for name in types if name in self.types]
        if not types:
            return 0, "", "{}"
        places = ", ".join("?" * len(types))
        limit = "" if before is None else f" AND seq < {before}"
        query = (
            f"SELECT seq, type, body FROM events WHERE type IN ({places}){limit} ORDER BY seq DESC LIMIT 1"  # noqa: S608 - constants
        )
        row = self.one(query, *types)
        return (0, "", "{}") if row is None else (row[0], row[1], row[2])

    def iteration(self) -> int:
        _, _, body = self.last(("iteration.started", "merge.proposed"))
        return int(json.loads(body).get("iteration", 0))

    def best(self) -> tuple[str, float | None]:
        """Give the best candidate by the rule of the run where that is decided, else by its mean."""
        decided, _, deployed = self.last(("deployment.decided",))
        joined, _, body = self.last(("frontier.updated",))
        found = json.loads(body)
        best = found.get("best_candidate_id", "")
        if decided > joined and (chosen := json.loads(deployed)["candidate_id"]) != best:
            return chosen, self._score(chosen)
        return best, found.get("best_score")

    def _score(self, candidate_id: str) -> float | None:
        query = (
            "SELECT json_extract(body, '$.score') FROM events "
            "WHERE type = 'candidate.evaluated' AND json_extract(body, '$.candidate_id') = ?"
        )
        row = self.one(query, candidate_id)
        return None if row is None else row[0]

    def limits(self) -> Mapping[str, Any]:
        if "gepa.run.extended" in self.types:
            body = self.last(("gepa.run.extended",))[2]
        else:
            row = self.one("SELECT body FROM events WHERE type = 'gepa.run.started' ORDER BY seq LIMIT 1")
            body = row[0] if row else "{}"
        return dict(json.loads(body).get("limits", {}))

    def transition(self) -> Transition | None:
        """Give the latest change of state, as the manifest tells of them."""
        seq, kind = self._phase(None)
        if not seq:
            return None
        if kind in ("iteration.started", "candidate.registered"):
            seq, before = self._first(kind)
        else:
            before = RUN_STATES.get(self._phase(seq)[1], "created")
        return Transition(seq, before, RUN_STATES[kind], kind)

    def _phase(self, before: int | None) -> tuple[int, str]:
        names = [name for name in RUN_STATES if name not in ("candidate.registered", "gepa.run.extended")]
        if "iteration.started" not in self.types:
            names.append("candidate.registered")
        seq, kind, _ = self.last(names, before)
        extended = self._reopened(before)
        return (extended, "gepa.run.extended") if extended > seq else (seq, kind)

    def _reopened(self, before: int | None = None) -> int:
        """Give the last event by which a run that was finished went on; 0 where none did."""
        seq, _, _ = self.last(("gepa.run.extended",), before)
        if not seq:
            return 0
        row = self.one("SELECT type FROM events WHERE seq = ?", seq - 1)
        return seq if row and row[0] == "gepa.run.finished" else self._reopened(seq)

    def _first(self, kind: str) -> tuple[int, str]:
        """Give the first event of a state that many events stand for, and the state before."""
        reopened = self._reopened() if kind == "iteration.started" else 0
        row = self.one(
            "SELECT seq FROM events WHERE type = ? AND seq > ? ORDER BY seq LIMIT 1", kind, reopened
        )
        before = "seed_full_train" if kind == "iteration.started" else "initializing"
        return int(row[0]), "extended" if reopened else before

    def kinds(self) -> Mapping[str, int]:
        if "checkpoints" not in self._tables:
            return {}
        return dict(self.all("SELECT kind, count(*) FROM checkpoints GROUP BY kind ORDER BY kind"))

    def newest_checkpoint(self) -> tuple[int, int]:
        if "checkpoints" not in self._tables:
            return 0, 0
        row = self.one("SELECT position, seq FROM checkpoints ORDER BY position DESC LIMIT 1")
        return (row[0], row[1]) if row else (0, 0)

    def texts(self) -> int:
        return int(self.one("SELECT count(*) FROM blobs")[0]) if "blobs" in self._tables else 0
