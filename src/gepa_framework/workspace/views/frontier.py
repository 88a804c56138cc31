"""Views of the frontier: who holds which cell, since when, and who took it from whom."""
# ruff: noqa: S608 - every piece is a constant of this package

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gepa_framework.workspace.views.parts import events, reals, texts, wholes


def _taken(how: str, alone: int) -> str:
    return f"""
        SELECT seq, json_extract(events.body, '$.candidate_id') AS candidate_id,
               json_extract(events.body, '$.iteration') AS iteration, each.value AS cell, {alone} AS alone
        FROM events, json_each(events.body, '$.{how}') AS each WHERE events.type = 'frontier.updated'"""


#: Whoever takes a cell alone ends what all before it had there; whoever ties shares what is there.
_HELD = f"""
    SELECT *, sum(alone) OVER (PARTITION BY cell ORDER BY seq) AS era,
           sum(alone) OVER (PARTITION BY cell) AS eras,
           min(CASE alone WHEN 1 THEN seq END) OVER (
               PARTITION BY cell ORDER BY seq ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
           ) AS beaten_seq
    FROM ({_taken("improved", 1)} UNION ALL {_taken("tied", 0)})"""

#: A cell is called by its row, its objective, or both with a slash between; rows may have slashes in them.
_NAMED = """
    SELECT cell, CASE WHEN (SELECT value FROM meta WHERE key = 'frontier') = 'objective' THEN NULL
                 WHEN EXISTS (SELECT 1 FROM train WHERE row = cell) THEN cell
                 ELSE (SELECT row FROM train WHERE substr(cell, 1, length(row) + 1) = row || '/'
                       ORDER BY length(row) DESC LIMIT 1) END AS row
    FROM (SELECT DISTINCT cell FROM held)"""

#: Who joins meets everybody who holds a cell just then, over the cells that are held.
_COMPARED = """
    SELECT joined.seq, joined.iteration, joined.candidate_id AS challenger, held.candidate_id AS incumbent,
           count(*) AS cells, count(CASE claim.alone WHEN 1 THEN 1 END) AS taken,
           count(CASE claim.alone WHEN 0 THEN 1 END) AS shared
    FROM joined
    JOIN held ON held.seq < joined.seq AND (held.beaten_seq IS NULL OR held.beaten_seq >= joined.seq)
    LEFT JOIN held AS claim ON claim.seq = joined.seq AND claim.cell = held.cell
    GROUP BY joined.seq, held.candidate_id"""

VIEWS: Final[Mapping[str, str]] = {
    "frontier_updates": events(
        ("frontier.updated",),
        texts("candidate_id"),
        wholes("iteration"),
        texts("improved", "tied", "survivors", "best_candidate_id"),
        reals("best_score", "best_stderr"),
    ),
    "frontier_cells": f"""
        WITH held AS MATERIALIZED ({_HELD}),
             train AS MATERIALIZED (
                 SELECT each.value AS row FROM events, json_each(events.body, '$.rows') AS each
                 WHERE events.type = 'dataset.rows.loaded'
                   AND json_extract(events.body, '$.purpose') = 'train'),
             named AS MATERIALIZED ({_NAMED})
        SELECT seq AS since_seq, CAST(iteration AS INTEGER) AS iteration, CAST(held.cell AS TEXT) AS cell,
               CAST(named.row AS TEXT) AS row_id,
               CAST(CASE WHEN named.row IS NULL THEN held.cell
                    WHEN named.row <> held.cell THEN substr(held.cell, length(named.row) + 2) END AS TEXT)
                   AS objective,
               CAST(candidate_id AS TEXT) AS candidate_id,
               CAST(CASE alone WHEN 1 THEN 'improved' ELSE 'tied' END AS TEXT) AS taken,
               CAST(CASE WHEN era < eras THEN 'beaten'
                    WHEN count(*) OVER (PARTITION BY held.cell, era) > 1 THEN 'shared' ELSE 'current' END
                    AS TEXT) AS status,
               CAST(beaten_seq AS INTEGER) AS beaten_seq,
               CAST((SELECT json_extract(body, '$.candidate_id') FROM events WHERE events.seq = beaten_seq)
                    AS TEXT) AS beaten_by
        FROM held JOIN named ON named.cell = held.cell""",
    "frontier_survivors": """
        SELECT seq, CAST(json_extract(events.body, '$.iteration') AS INTEGER) AS iteration,
               CAST(each.value AS TEXT) AS candidate_id,
               CAST(seq = (SELECT max(seq) FROM events WHERE type = 'frontier.updated') AS INTEGER) AS current
        FROM events, json_each(events.body, '$.survivors') AS each
        WHERE events.type = 'frontier.updated'""",
    "pareto_comparisons": f"""
        WITH held AS MATERIALIZED ({_HELD}),
             joined AS MATERIALIZED (
                 SELECT seq, json_extract(body, '$.iteration') AS iteration,
                        json_extract(body, '$.candidate_id') AS candidate_id
                 FROM events WHERE type = 'frontier.updated')
        SELECT seq, CAST(iteration AS INTEGER) AS iteration,
               CAST(challenger AS TEXT) AS challenger_candidate_id,
               CAST(incumbent AS TEXT) AS incumbent_candidate_id, CAST(cells AS INTEGER) AS cells,
               CAST(taken AS INTEGER) AS taken, CAST(shared AS INTEGER) AS shared,
               CAST(cells - taken - shared AS INTEGER) AS kept,
               CAST(CASE WHEN shared = cells THEN 'tied' WHEN taken + shared = cells THEN 'challenger'
                    WHEN taken = 0 THEN 'incumbent' ELSE 'divided' END AS TEXT) AS result
        FROM ({_COMPARED})""",
}
