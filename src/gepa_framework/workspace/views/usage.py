"""Views of what was spent, and of what a cache saved."""
# ruff: noqa: S608 - every piece is a constant of this package

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gepa_framework.workspace.views.parts import PROPOSER, TOKENS, abandoned, addressed, field

_FAILED_BEFORE = "(SELECT count(*) FROM attempts WHERE attempts.effect_id = inputs.effect_id)"


def _calls(sort: str, model: str) -> str:
    """Give every attempt at effects of a sort, those that were given up included."""
    return f"""
        SELECT position, effect_id, kind, 0 AS superseded, 1 + {_FAILED_BEFORE} AS attempt,
               {field("TEXT", "model", model, of="payload")}, {TOKENS},
               {field("REAL", "reported", "usage.cost_usd", of="payload")}
        FROM inputs WHERE kind IN ('{sort}', '{sort}_failure')
        UNION ALL
        SELECT position, effect_id, kind, 1, attempt, NULL, prompt_tokens, completion_tokens, total_tokens,
               CAST(cost_usd AS REAL)
        FROM attempts WHERE effect_id LIKE '{sort}/%'
        UNION ALL {abandoned(sort, "position, each.value, 'abandoned', 0, 1" + ", NULL" * 5)}"""


def _cost(sort: str) -> str:
    """Give the cost that was reported, else that of the price table."""
    return f"""coalesce(reported, (SELECT (prompt_tokens * json_extract(each.value, '$[2]')
            + completion_tokens * json_extract(each.value, '$[3]')) / 1e6
        FROM meta, json_each(meta.value, '$.models') AS each WHERE meta.key = 'prices'
          AND json_extract(each.value, '$[0]') = json_extract(meta.value, '$.{sort}[0]')
          AND json_extract(each.value, '$[1]')
              = coalesce(nullif(model, ''), json_extract(meta.value, '$.{sort}[1]')) LIMIT 1))"""


_SPENT = """CAST(superseded AS INTEGER) AS superseded, CAST(attempt AS INTEGER) AS attempt,
    CAST(model AS TEXT) AS model, prompt_tokens, completion_tokens, total_tokens,
    reported AS reported_cost_usd"""

_ROLLOUTS = addressed(
    f"position, effect_id, 'container.rollout' AS boundary, kind, {_SPENT}, {_cost('rollout')} AS cost_usd",
    _calls("rollout", "usage.model"),
)
_STAGE = """CASE WHEN effect_id LIKE '%/repair' THEN 'repair' WHEN effect_id LIKE '%/again' THEN 'again'
    ELSE 'proposal' END"""
_PROPOSALS = f"""
    SELECT position, effect_id, {PROPOSER}, kind, {_SPENT}, {_cost("proposer")},
           CAST(substr(effect_id, 10) AS INTEGER), {_STAGE}, NULL, NULL, NULL
    FROM ({_calls("proposal", "model")})"""

_BOUNDARY = f"""CASE kind WHEN 'rollout' THEN 'container.rollout' WHEN 'rollout_failure' THEN
    'container.rollout' WHEN 'rows' THEN 'container.dataset_rows' WHEN 'program' THEN 'container.program'
    WHEN 'metadata' THEN 'container.metadata' ELSE {PROPOSER} END"""


def _said(key: str) -> str:
    return f"(SELECT value FROM meta WHERE key = '{key}')"


def _accesses(action: str, when: str) -> str:
    return f"""SELECT position, effect_id, kind, request_digest, elapsed_us, '{action}' AS action
        FROM inputs WHERE {when}"""


#: What was kept had been looked for in vain.
_ACCESSES = f"""
    {_accesses("hit", "access = 'hit'")} UNION ALL {_accesses("miss", "access IN ('miss', 'write')")}
    UNION ALL {_accesses("write", "access = 'write'")}"""

VIEWS: Final[Mapping[str, str]] = {
    "usage_ledger": f"""
        SELECT position, effect_id, CAST(boundary AS TEXT) AS boundary, CAST(kind AS TEXT) AS kind,
               superseded, attempt, iteration, stage, candidate_id, row_id, model, prompt_tokens,
               completion_tokens, total_tokens, reported_cost_usd, CAST(cost_usd AS REAL) AS cost_usd
        FROM ({_ROLLOUTS} UNION ALL {_PROPOSALS})""",
    "cache_accesses": f"""
        SELECT position, effect_id, CAST({_said("cache_namespace")} AS TEXT) AS namespace,
               CAST({_BOUNDARY} AS TEXT) AS boundary, CAST(action AS TEXT) AS action,
               request_digest, elapsed_us
        FROM ({_ACCESSES})""",
    "cache_profiles": f"""
        SELECT CAST({_said("cache_mode")} AS TEXT) AS mode,
               CAST({_said("cache_namespace")} AS TEXT) AS namespace, CAST(boundary AS TEXT) AS boundary,
               CAST(sum(access = 'hit') AS INTEGER) AS hits,
               CAST(sum(access IN ('miss', 'write')) AS INTEGER) AS misses,
               CAST(sum(access = 'write') AS INTEGER) AS writes, CAST(count(*) AS INTEGER) AS asked
        FROM (SELECT {_BOUNDARY} AS boundary, access FROM inputs WHERE access IS NOT NULL)
        GROUP BY boundary""",
    "prices": """
        SELECT CAST(json_extract(each.value, '$[0]') AS TEXT) AS provider,
               CAST(json_extract(each.value, '$[1]') AS TEXT) AS model,
               CAST(json_extract(each.value, '$[2]') AS REAL) AS prompt_usd_per_million,
               CAST(json_extract(each.value, '$[3]') AS REAL) AS completion_usd_per_million
        FROM meta, json_each(meta.value, '$.models') AS each WHERE meta.key = 'prices'""",
}
