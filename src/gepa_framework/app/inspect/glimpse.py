"""A glimpse of a run for a list of many: its last events and its counts, without going through all of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from gepa_framework.app.inspect.record import reading
from gepa_framework.app.inspect.rollouts import NANO
from gepa_framework.app.inspect.standing import Standing, standing_of
from gepa_framework.workspace import read_tally

_LAST = "SELECT type, body FROM events ORDER BY seq DESC LIMIT 1"
_LATEST = "SELECT seq, body FROM events WHERE type = ? ORDER BY seq DESC LIMIT 1"
_SCORE = """
    SELECT body FROM events WHERE type = 'candidate.evaluated' AND json_extract(body, '$.candidate_id') = ?
    ORDER BY seq DESC LIMIT 1"""
_ABANDONED = "SELECT body FROM events WHERE type = 'work.abandoned'"


@attrs.frozen
class Glimpse:
    """A run in so many words as a row of a list has.

    Attributes:
        run_id: Its name.
        standing: How it stands.
        best_candidate_id: Its best candidate; empty while there is none.
        best_score: Its mean reward on the Pareto rows.
        best_stderr: Standard error of that mean.
        verdict: On the heldout rows; empty until they are in.
        rollouts: Rollouts on record.
        cost_usd: US dollars; ``None`` when any part of it is unknown.
        known_usd: What is known of it.
    """

    run_id: str
    standing: Standing
    best_candidate_id: str
    best_score: float | None
    best_stderr: float | None
    verdict: str
    rollouts: int
    cost_usd: float | None
    known_usd: float


def glimpse(run_dir: Path) -> Glimpse:
    """Look at a run in passing; raises what `open_record` raises."""
    with reading(run_dir) as (_, connection):
        return _Looking(run_dir, connection).glimpse()


class _Looking:
    def __init__(self, run_dir: Path, connection: sqlite3.Connection) -> None:
        self._run_dir = run_dir
        self._connection = connection
        counts = read_tally(connection).counts()
        self._events: Mapping[str, int] = counts["events"]
        self._usage: Mapping[str, int] = counts["usage"]

    def glimpse(self) -> Glimpse:
        best = self._best()
        known = sum(value for key, value in self._usage.items() if key.endswith(".cost")) / NANO
        return Glimpse(
            run_id=self._run_id(),
            standing=self._standing(),
            best_candidate_id=best.get("candidate_id", ""),
            best_score=best.get("score"),
            best_stderr=best.get("stderr"),
            verdict=self._verdict(),
            rollouts=self._events.get("rollout.completed", 0) + self._events.get("rollout.failed", 0),
            cost_usd=None if self._unpriced() else known,
            known_usd=known,
        )

    def _run_id(self) -> str:
        row = self._connection.execute("SELECT value FROM meta WHERE key = 'run_id'").fetchone()
        return str(row[0]) if row else self._run_dir.resolve().name

    def _latest(self, name: str) -> tuple[int, Any]:
        """Give number and body of the last event of a type; 0 and nothing where there is none."""
        # Looking for what is not there would go through all events.
        row = self._connection.execute(_LATEST, (name,)).fetchone() if self._events.get(name) else None
        return (row[0], json.loads(row[1])) if row else (0, {})

    def _standing(self) -> Standing:
        row = self._connection.execute(_LAST).fetchone()
        last = (row[0], json.loads(row[1])) if row else None
        stopped, extended = self._latest("gepa.stop"), self._latest("gepa.run.extended")
        reason = stopped[1]["message"] if stopped[0] > extended[0] else ""
        return standing_of(self._run_dir, last, reason, sum(self._events.values()))

    def _best(self) -> Mapping[str, Any]:
        at, front = self._latest("frontier.updated")
        if not at:
            return {}
        name = front["best_candidate_id"]
        decided, deployed = self._latest("deployment.decided")
        if decided > at and deployed["candidate_id"] != name:
            name = deployed["candidate_id"]
            row = self._connection.execute(_SCORE, (name,)).fetchone()
            return json.loads(row[0]) if row else {"candidate_id": name}
        return {"candidate_id": name, "score": front["best_score"], "stderr": front.get("best_stderr")}

    def _verdict(self) -> str:
        told, extended = self._latest("heldout.verdict"), self._latest("gepa.run.extended")
        return str(told[1]["verdict"]) if told[0] > extended[0] else ""

    def _unpriced(self) -> bool:
        if any(value for key, value in self._usage.items() if key.endswith(".unknown_cost")):
            return True
        if not self._events.get("work.abandoned"):
            return False
        bodies = (json.loads(body) for (body,) in self._connection.execute(_ABANDONED))
        return any(body["rollouts"] + body["proposals"] for body in bodies)
