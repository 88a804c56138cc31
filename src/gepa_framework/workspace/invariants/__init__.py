"""Invariants: what is always true of a workspace, each as a query that gives the rows that violate it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from gepa_framework.workspace.invariants.budgets import BUDGETS
from gepa_framework.workspace.invariants.candidates import CANDIDATES
from gepa_framework.workspace.invariants.derived import DERIVED
from gepa_framework.workspace.invariants.endings import ENDINGS
from gepa_framework.workspace.invariants.facts import forget, gather
from gepa_framework.workspace.invariants.frontier import FRONTIER
from gepa_framework.workspace.invariants.journal import JOURNAL
from gepa_framework.workspace.invariants.model import Invariant, Severity, Violation
from gepa_framework.workspace.invariants.recount import recount
from gepa_framework.workspace.invariants.rollouts import ROLLOUTS
from gepa_framework.workspace.invariants.search import SEARCH

__all__ = ["INVARIANTS", "Invariant", "Severity", "Violation", "recount", "violations"]

INVARIANTS: tuple[Invariant, ...] = (
    *JOURNAL,
    *ROLLOUTS,
    *CANDIDATES,
    *FRONTIER,
    *SEARCH,
    *BUDGETS,
    *ENDINGS,
    *DERIVED,
)


def violations(connection: sqlite3.Connection) -> Iterator[Violation]:
    """Give every row of a workspace that violates an invariant, invariant by invariant.

    Args:
        connection: To a database with the newest schema; for reading alone is enough.
    """
    (sealed,) = connection.execute("PRAGMA query_only").fetchone()
    # Temporary tables are the reader's own; they are written all the same.
    connection.execute("PRAGMA query_only=OFF")
    gather(connection)
    try:
        for invariant in INVARIANTS:
            for subject_type, subject_id, message in connection.execute(invariant.sql):
                yield Violation(
                    invariant.id,
                    invariant.severity,
                    str(subject_type),
                    str(subject_id),
                    str(message),
                    invariant.hint,
                )
    finally:
        forget(connection)
        connection.execute(f"PRAGMA query_only={sealed}")
