"""Facts: what invariants ask of the journal, gathered once into temporary tables of the reader's own."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from contextlib import suppress

from gepa_framework.errors import WorkspaceError
from gepa_framework.types import EVENT_TYPES, FailureKind, Stage
from gepa_framework.types.candidate import Candidate
from gepa_framework.workspace.checkpoints import ENDINGS
from gepa_framework.workspace.invariants.recount import differences
from gepa_framework.workspace.reading import shelf_of
from gepa_framework.workspace.shelf import Shelf
from gepa_framework.workspace.whole import whole_json

KINDS = (
    *("start", "metadata", "program", "rows", "rollout", "rollout_failure", "proposal", "proposal_failure"),
    *("tick", "cancel", "abandoned", "extend"),
)
OUTCOMES = KINDS[1:8]


def quoted(names: Iterable[str]) -> str:
    """Give names as a list of SQL."""
    return ", ".join(f"'{name}'" for name in names)


def _field(*names: str, of: str = "body") -> str:
    return ", ".join(f"json_extract({of}, '$.{name}') AS {name.rpartition('.')[2]}" for name in names)


def _events(types: str, *names: str) -> str:
    fields = "".join(f", {_field(name)}" for name in names)
    return f"SELECT seq, position, type{fields} FROM events WHERE type IN ({types}) AND json_valid(body)"


#: Each fact with the query that gives it, in an order in which each asks only those before it.
FACTS: dict[str, str] = {
    # The rows of the container, as it served them.
    "served": """
        SELECT substr(effect_id, 16) AS purpose, json_extract(value, '$.id') AS row_id,
               json_extract(value, '$.split') AS split
        FROM inputs, json_each(CASE WHEN json_valid(payload) THEN payload ELSE '[]' END)
        WHERE kind = 'rows'""",
    # The outcomes, with what was paid for them; those of proposers are ``proposal/ITERATION`` and more.
    "outcomes": f"""
        SELECT position, kind, effect_id, request_digest, access,
               CASE WHEN effect_id LIKE 'proposal/%'
                    THEN CAST(substr(effect_id, 10) AS INTEGER) END AS iteration,
               {_field("reward", "model", "usage.total_tokens", "usage.cost_usd", of="payload")}
        FROM inputs WHERE kind IN ({quoted(KINDS[4:8])}) AND json_valid(payload)""",
    # The rollouts that are told of, with the effects that they come from.
    "told": f"""
        SELECT each.*, own.row_id IS NULL AND other.row_id IS NOT NULL AS misplaced,
               'rollout/' || iteration || '/' || stage || '/' || candidate_id || '/'
               || coalesce(own.split, other.split) || '/' || each.row_id AS effect_id
        FROM ({
        _events(
            "'rollout.completed', 'rollout.failed'",
            *("candidate_id", "row_id", "stage", "iteration", "reward", "kind", "cost_usd", "total_tokens"),
        )
    }) AS each
        LEFT JOIN served AS own
          ON own.row_id = each.row_id
         AND own.purpose = CASE each.stage WHEN 'heldout' THEN 'heldout' ELSE 'train' END
        LEFT JOIN served AS other
          ON other.row_id = each.row_id
         AND other.purpose = CASE each.stage WHEN 'heldout' THEN 'train' ELSE 'heldout' END""",
    # Long texts of components stand in ``blobs``.
    "registered": f"""
        SELECT each.*, {whole_json("json_extract(events.body, '$.components')")} AS components
        FROM ({
        _events("'candidate.registered'", *("candidate_id", "parent_ids", "iteration", "source", "changed"))
    }) AS each JOIN events USING (seq)""",
    "decided": _events(
        "'candidate.accepted', 'candidate.rejected'",
        *("candidate_id", "parent_id", "iteration", "rule", "criterion", "reason", "before", "after"),
        *("delta", "rows"),
    ),
    "evaluated": _events("'candidate.evaluated'", "candidate_id", "score", "coverage", "rows"),
    "joined": _events(
        "'frontier.updated'",
        *("candidate_id", "improved", "tied", "survivors", "best_candidate_id", "best_score"),
    ),
    "begun": _events("'iteration.started', 'merge.proposed'", "iteration", "parent_id", "rows"),
    "asked": _events("'proposer.started'", "iteration", "request_digest"),
    "used": _events("'proposer.completed'", "iteration", "model", "total_tokens"),
    # What members came to on the Pareto rows; a full evaluation says it better than a comparison.
    "standings": """
        SELECT candidate_id, row_id, reward, type = 'rollout.failed' AS failed, joined
        FROM (
            SELECT told.*, joined.seq AS joined, row_number() OVER (
                PARTITION BY told.candidate_id, row_id
                ORDER BY stage IN ('seed_full_train', 'candidate_full_train') DESC, told.seq DESC) AS place
            FROM told JOIN joined ON joined.candidate_id = told.candidate_id
            WHERE stage IN ('seed_full_train', 'candidate_full_train', 'candidate_minibatch')
              AND row_id IN (SELECT row_id FROM told WHERE stage = 'seed_full_train')
        ) WHERE place = 1""",
    # The same, with the best that members before them came to.
    "cells": """
        SELECT candidate_id, row_id, reward,
               max(reward) OVER earlier AS best, coalesce(max(failed) OVER earlier, 0) AS failed
        FROM standings
        WINDOW earlier AS (
            PARTITION BY row_id ORDER BY joined ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)""",
    "claims": """
        SELECT seq, candidate_id, value AS row_id, 'improved' AS claim FROM joined, json_each(improved)
        UNION ALL
        SELECT seq, candidate_id, value, 'tied' FROM joined, json_each(tied)""",
    # The limits as they were told, each until the next.
    "bounds": f"""
        SELECT seq, position, json_each.key AS name, json_each.value AS value,
               coalesce((SELECT min(later.seq) FROM events AS later
                         WHERE later.type = 'gepa.run.extended' AND later.seq > told.seq), 1e18) AS until,
               coalesce((SELECT min(later.position) FROM events AS later
                         WHERE later.type = 'gepa.run.extended' AND later.seq > told.seq), 1e18)
                             AS until_position
        FROM ({_events("'gepa.run.started', 'gepa.run.extended'", "limits")}) AS told, json_each(limits)""",
    # What was paid for by the time that an event tells of it, beginnings of iterations with nothing.
    "paid": """
        SELECT seq, cost_usd, total_tokens FROM told
        UNION ALL
        SELECT seq, json_extract(body, '$.cost_usd'), json_extract(body, '$.total_tokens') FROM events
        WHERE type IN ('proposer.completed', 'proposal.refused') AND json_valid(body)
        UNION ALL
        SELECT seq, 0, 0 FROM begun""",
    "given_up": _events("'work.abandoned'", "rollouts", "proposals"),
    # The run as a whole: how it ended, and what may have cut it short.
    "run": f"""
        SELECT coalesce((SELECT type FROM events WHERE type IN ({quoted(ENDINGS)})
                         AND seq = (SELECT max(seq) FROM events)), '') AS ending,
               EXISTS (SELECT 1 FROM inputs WHERE kind = 'tick') AS ticks,
               EXISTS (SELECT 1 FROM bounds WHERE name LIKE '%tokens' OR name = 'cost_usd') AS money,
               NOT EXISTS (
                   SELECT 1 FROM cells
                   WHERE candidate_id = (SELECT candidate_id FROM joined ORDER BY seq LIMIT 1)
                     AND reward IS NOT NULL
                     AND NOT EXISTS (SELECT 1 FROM claims WHERE claims.candidate_id = cells.candidate_id
                                     AND claims.row_id = cells.row_id)) AS rows_are_cells,
               (SELECT value FROM meta WHERE key = 'cache_mode') AS cache_mode""",
    "recounted": "SELECT 0 AS position, '' AS difference WHERE 0",
    "types": "SELECT '' AS type WHERE 0",
}
_INDICES = (
    ("served", "row_id, purpose"),
    ("outcomes", "iteration"),
    ("asked", "iteration"),
    ("outcomes", "effect_id"),
    ("told", "effect_id"),
    ("told", "candidate_id, stage"),
    ("registered", "candidate_id"),
    ("cells", "candidate_id, row_id"),
    ("claims", "candidate_id, row_id"),
)
STAGES = quoted(Stage)
FAILURES = quoted(FailureKind)


def gather(connection: sqlite3.Connection) -> None:
    """Make the facts as temporary tables of a connection, which may be for reading alone."""
    shelf = shelf_of(connection, "the workspace")
    connection.create_function("is_kept", 1, lambda sha256: _is_kept(shelf, sha256))
    connection.create_function("candidate_id", 2, _candidate_id, deterministic=True)
    connection.execute("PRAGMA temp_store = MEMORY")
    for name, query in FACTS.items():
        connection.execute(f"CREATE TEMP TABLE {name} AS {query}")
        for table, columns in _INDICES:
            if table == name:
                index = f"{name}_{columns.replace(', ', '_')}"
                connection.execute(f"CREATE INDEX temp.{index} ON {name} ({columns})")
    connection.executemany("INSERT INTO types VALUES (?)", [(name,) for name in EVENT_TYPES])
    connection.executemany("INSERT INTO recounted VALUES (?, ?)", differences(connection))


def forget(connection: sqlite3.Connection) -> None:
    """Take the facts away again."""
    for name in FACTS:
        with suppress(sqlite3.OperationalError):
            connection.execute(f"DROP TABLE temp.{name}")


def _is_kept(shelf: Shelf, sha256: str) -> bool:
    """Tell whether the text under a digest is the one of that digest, its own long texts put back."""
    try:
        shelf.text(sha256)
    except WorkspaceError:
        return False
    return True


def _candidate_id(components: str, name: str) -> str:
    """Give the id that texts have, with the prefix that a name has; nothing for what are no texts."""
    try:
        return Candidate.of(json.loads(components), prefix=name.rpartition("_")[0]).id
    except (ValueError, TypeError, AttributeError):
        return ""
