"""Views of scores: rewards and objectives, one by one and summed up, and what judged them."""
# ruff: noqa: S608 - every piece is a constant of this package

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gepa_framework.workspace.views.parts import CONTAINER, SPLIT, addressed, field, rollout_events

_COMPLETED = "events.type = 'rollout.completed'"
_REWARD = "'reward' AS objective, 'reward' AS source, json_extract(body, '$.reward') AS value"


def _each(columns: str) -> str:
    """Give rewards and objectives of completed rollouts, one row each."""
    return f"""
        SELECT {columns}, {_REWARD} FROM events WHERE {_COMPLETED}
        UNION ALL
        SELECT {columns}, each.key, 'objective', each.value
        FROM events, json_each(body, '$.objectives') AS each WHERE {_COMPLETED}"""


_ALL = _each("seq, body")
_VALUES = _each("seq, json_extract(body, '$.candidate_id') AS candidate_id, body")

#: Higher is better for a reward; for objectives the run was told, those that it looks at.
_DIRECTION = """CASE source WHEN 'reward' THEN 'maximize' ELSE (SELECT each.value
    FROM meta, json_each(meta.value) AS each
    WHERE meta.key = 'objectives' AND each.key = objective) END"""

_JUDGED = """
    SELECT position, effect_id, score.key AS objective, 'objective' AS source, score.value AS value,
           (SELECT why.value FROM json_each(payload, '$.rationales') AS why WHERE why.key = score.key)
               AS rationale
    FROM inputs, json_each(payload, '$.objectives') AS score WHERE inputs.kind = 'rollout'
    UNION ALL
    SELECT position, effect_id, 'reward', 'reward', json_extract(payload, '$.reward'),
           json_extract(payload, '$.rationales.reward')
    FROM inputs WHERE kind = 'rollout'
    UNION ALL
    SELECT position, effect_id, why.key, 'rationale', NULL, why.value
    FROM inputs, json_each(payload, '$.rationales') AS why
    WHERE inputs.kind = 'rollout' AND why.key <> 'reward'
      AND NOT EXISTS (SELECT 1 FROM json_each(payload, '$.objectives') AS score WHERE score.key = why.key)"""

VIEWS: Final[Mapping[str, str]] = {
    "scores": f"""
        SELECT seq, effect_id, candidate_id, row_id, split, stage, iteration,
               CAST(objective AS TEXT) AS objective, CAST(source AS TEXT) AS source,
               CAST(value AS REAL) AS value
        FROM ({rollout_events("seq, objective, source, value", f"({_ALL})")})""",
    "objectives": f"""
        SELECT CAST(objective AS TEXT) AS objective, CAST(source AS TEXT) AS source,
               CAST(min(seq) AS INTEGER) AS first_seq, CAST(count(*) AS INTEGER) AS scores,
               CAST(avg(value) AS REAL) AS mean, CAST(min(value) AS REAL) AS least,
               CAST(max(value) AS REAL) AS most, CAST({_DIRECTION} AS TEXT) AS direction
        FROM ({_VALUES}) GROUP BY source, objective""",
    "score_vectors": f"""
        SELECT CAST(candidate_id AS TEXT) AS candidate_id, CAST(stage AS TEXT) AS stage,
               CAST({SPLIT} AS TEXT) AS split, CAST(objective AS TEXT) AS objective,
               CAST(source AS TEXT) AS source, CAST(count(*) AS INTEGER) AS n,
               CAST(avg(value) AS REAL) AS mean, CAST(min(value) AS REAL) AS least,
               CAST(max(value) AS REAL) AS most
        FROM (SELECT candidate_id, json_extract(body, '$.stage') AS stage, objective, source, value
              FROM ({_VALUES}))
        GROUP BY candidate_id, stage, source, objective""",
    "verifier_jobs": addressed(
        f"position, effect_id, CAST({CONTAINER} AS TEXT) AS verifier, CAST(ended AS TEXT) AS status, "
        "reward, CAST(results AS INTEGER) AS results, CAST(rationales AS INTEGER) AS rationales, code, "
        "message",
        f"""SELECT position, effect_id, CASE kind WHEN 'rollout' THEN 'completed' ELSE 'failed' END AS ended,
                   {field("REAL", "reward", of="payload")}, {field("TEXT", "code", of="payload")},
                   {field("TEXT", "message", of="payload")},
                   (kind = 'rollout') + (SELECT count(*) FROM json_each(payload, '$.objectives')) AS results,
                   (SELECT count(*) FROM json_each(payload, '$.rationales')) AS rationales
            FROM inputs WHERE kind IN ('rollout', 'rollout_failure')""",
    ),
    "verifier_results": addressed(
        f"position, effect_id, CAST({CONTAINER} AS TEXT) AS verifier, CAST(objective AS TEXT) AS objective, "
        "CAST(source AS TEXT) AS source, CAST(value AS REAL) AS value, CAST(rationale AS TEXT) AS rationale",
        _JUDGED,
    ),
}
