"""The view of what came from what."""
# ruff: noqa: S608 - every piece is a constant of this package

from __future__ import annotations

from collections.abc import Mapping
from typing import Final


def _links(source: str, relation: str, target: str, query: str) -> str:
    return f"""
        SELECT seq, '{source}' AS source_type, source_id, '{relation}' AS relation,
               '{target}' AS target_type, target_id
        FROM ({query})"""


_DERIVED = """
    SELECT seq, json_extract(events.body, '$.candidate_id') AS source_id, each.value AS target_id
    FROM events, json_each(events.body, '$.parent_ids') AS each WHERE events.type = 'candidate.registered'"""

_LINKS = " UNION ALL ".join(
    (
        _links("candidate", "derived_from", "candidate", _DERIVED),
        _links(
            *("candidate", "proposed_by", "proposal"),
            "SELECT outcome_seq AS seq, candidate_id AS source_id, effect_id AS target_id FROM proposals "
            "WHERE result = 'registered'",
        ),
        _links(
            *("proposal", "reflected_on", "rollout"),
            "SELECT seq, proposal_id AS source_id, rollout_id AS target_id FROM evidence_frames",
        ),
        _links(
            *("rollout", "scored", "candidate"),
            "SELECT seq, effect_id AS source_id, candidate_id AS target_id FROM rollouts "
            "WHERE event = 'rollout.completed'",
        ),
    )
)

VIEWS: Final[Mapping[str, str]] = {
    "plan_links": f"""
        SELECT CAST(seq AS INTEGER) AS seq, CAST(source_type AS TEXT) AS source_type,
               CAST(source_id AS TEXT) AS source_id, CAST(relation AS TEXT) AS relation,
               CAST(target_type AS TEXT) AS target_type, CAST(target_id AS TEXT) AS target_id
        FROM ({_LINKS})""",
}
