"""Views of rollouts: what was asked, how each attempt ended, and what came back."""
# ruff: noqa: S608 - every piece is a constant of this package

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gepa_framework.workspace.views.parts import (
    CONTAINER,
    TOKENS,
    abandoned,
    addressed,
    field,
    reals,
    rollout_events,
    texts,
    whole,
    wholes,
)

_ROLLOUTS = rollout_events(
    ", ".join(
        (
            "seq, type AS event, CASE type WHEN 'rollout.failed' THEN 'failed' ELSE 'completed' END AS ended",
            reals("reward", "cost_usd"),
            texts("kind", "code", "message"),
            wholes("total_tokens"),
        )
    ),
    "events WHERE type IN ('rollout.completed', 'rollout.failed')",
)

_FAILED_BEFORE = "(SELECT count(*) FROM attempts WHERE attempts.effect_id = inputs.effect_id)"
_STATUS = "CASE inputs.kind WHEN 'rollout' THEN 'completed' ELSE 'failed' END"
_ANSWERED = "inputs.kind IN ('rollout', 'rollout_failure')"

_JOBS = f"""
    SELECT position, effect_id, {_STATUS} AS ended, request_digest, access AS cache, elapsed_us,
           CASE access WHEN 'hit' THEN 0 ELSE 1 + {_FAILED_BEFORE} END AS tries
    FROM inputs WHERE {_ANSWERED}
    UNION ALL {abandoned("rollout", "position, each.value, 'abandoned', NULL, NULL, elapsed_us, NULL")}"""

_OUTPUT = """CASE json_type(payload, '$.output') WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'
    ELSE json_extract(payload, '$.output') END"""
_FRAME = ", ".join(
    (
        field("REAL", "reward", of="payload"),
        f"CAST({_OUTPUT} AS TEXT) AS output",
        *(
            field("TEXT", name, of="payload")
            for name in (
                *("feedback", "side_info", "metrics", "trace_digest", "status_detail"),
                *("kind", "code", "message"),
            )
        ),
        field("INTEGER", "http_status", of="payload"),
        field("TEXT", "model", "usage.model", of="payload"),
        TOKENS,
        field("REAL", "cost_usd", "usage.cost_usd", of="payload"),
    )
)
_FRAME_COLUMNS = (
    "reward, output, feedback, side_info, metrics, trace_digest, status_detail, kind, code, message, "
    "http_status, model, prompt_tokens, completion_tokens, total_tokens, cost_usd"
)

_HAPPENED = f"""
    SELECT position, attempt AS number, 'attempt_failed' AS event, effect_id, kind, code, message,
           http_status, prompt_tokens, completion_tokens, total_tokens, CAST(cost_usd AS REAL) AS cost_usd
    FROM attempts WHERE effect_id LIKE 'rollout/%'
    UNION ALL
    SELECT position, 1 + {_FAILED_BEFORE}, {_STATUS}, effect_id, json_extract(payload, '$.kind'),
           json_extract(payload, '$.code'), json_extract(payload, '$.message'),
           json_extract(payload, '$.http_status'), json_extract(payload, '$.usage.prompt_tokens'),
           json_extract(payload, '$.usage.completion_tokens'), json_extract(payload, '$.usage.total_tokens'),
           json_extract(payload, '$.usage.cost_usd')
    FROM inputs WHERE {_ANSWERED}
    UNION ALL {abandoned("rollout", "position, 1, 'abandoned', each.value" + ", NULL" * 8)}"""

_PARTS = """
    SELECT position, effect_id, part.key AS part, each.key AS name, each.value AS value, each.type AS type
    FROM inputs, json_each(payload) AS part, json_each(part.value) AS each
    WHERE inputs.kind = 'rollout' AND part.type = 'object'
      AND part.key IN ('feedback', 'side_info', 'metrics', 'objectives', 'rationales')"""


def _named(part: str) -> str:
    return whole(f"(SELECT count(*) FROM json_each(payload, '$.{part}'))", part)


VIEWS: Final[Mapping[str, str]] = {
    "rollouts": f"""
        SELECT seq, event, candidate_id, row_id, stage, iteration, reward, kind, code, message, cost_usd,
               total_tokens, CAST(ended AS TEXT) AS status, split, effect_id
        FROM ({_ROLLOUTS})""",
    "rollout_jobs": addressed(
        f"position, effect_id, CAST(ended AS TEXT) AS status, {whole('tries', 'attempts')}, "
        f"CAST(cache AS TEXT) AS cache, request_digest, elapsed_us",
        _JOBS,
    ),
    "rollout_events": addressed(
        f"position, {whole('number', 'number')}, CAST(event AS TEXT) AS event, effect_id, "
        "CAST(kind AS TEXT) AS kind, CAST(code AS TEXT) AS code, CAST(message AS TEXT) AS message, "
        "http_status, prompt_tokens, completion_tokens, total_tokens, CAST(cost_usd AS REAL) AS cost_usd",
        _HAPPENED,
    ),
    "sensor_frames": addressed(
        f"position, effect_id, CAST(ended AS TEXT) AS status, {_FRAME_COLUMNS}",
        f"SELECT position, effect_id, {_STATUS} AS ended, {_FRAME} FROM inputs WHERE {_ANSWERED}",
    ),
    "sensor_fields": f"""
        SELECT position, effect_id, CAST(part AS TEXT) AS part, CAST(name AS TEXT) AS name,
               CAST(CASE type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE value END AS TEXT)
                   AS value,
               CAST(CASE WHEN type IN ('integer', 'real') THEN value END AS REAL) AS number
        FROM ({_PARTS})""",
    "trace_annotations": addressed(
        f"position, effect_id, CAST({CONTAINER} AS TEXT) AS annotator, CAST(ended AS TEXT) AS status, "
        "trace_digest, summary, feedback, side_info, rationales",
        f"""SELECT position, effect_id, {_STATUS} AS ended, {field("TEXT", "trace_digest", of="payload")},
                   {field("TEXT", "summary", "status_detail", of="payload")},
                   {", ".join(map(_named, ("feedback", "side_info", "rationales")))}
            FROM inputs WHERE {_ANSWERED}""",
    ),
}
