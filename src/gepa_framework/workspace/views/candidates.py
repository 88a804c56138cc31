"""Views of candidates: their texts, what changed from parent to child, and how they were judged."""
# ruff: noqa: S608 - every piece is a constant of this package

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gepa_framework.workspace.views.digests import sha256
from gepa_framework.workspace.views.parts import events, reals, texts, wholes
from gepa_framework.workspace.whole import text_name, whole_text, whole_value

_FACTS = ("candidate.accepted", "candidate.rejected", "candidate.evaluated", "heldout.completed")

#: What became of each candidate, in one pass; a candidate is decided, evaluated and measured once.
_FATE = f"""
    SELECT json_extract(body, '$.candidate_id') AS id,
           max(CASE type WHEN 'candidate.accepted' THEN 'accepted' WHEN 'candidate.rejected' THEN 'rejected'
               END) AS status,
           max(CASE type WHEN 'candidate.evaluated' THEN json_extract(body, '$.score') END) AS reward,
           max(CASE type WHEN 'candidate.evaluated' THEN json_extract(body, '$.stderr') END) AS stderr,
           max(CASE type WHEN 'candidate.evaluated' THEN json_extract(body, '$.coverage') END) AS coverage,
           max(CASE type WHEN 'heldout.completed' THEN json_extract(body, '$.score') END) AS heldout_reward,
           max(CASE type WHEN 'heldout.completed' THEN json_extract(body, '$.stderr') END) AS heldout_stderr
    FROM events WHERE type IN ({", ".join(f"'{name}'" for name in _FACTS)}) GROUP BY id"""

_RATIONALE = whole_text("events.body", "$.rationale")

_REGISTERED = events(
    ("candidate.registered",),
    texts("candidate_id", "parent_ids"),
    wholes("iteration"),
    texts("source", "changed"),
    f"CAST({_RATIONALE} AS TEXT) AS rationale",
    "CAST(json_extract(body, '$.parent_ids[0]') AS TEXT) AS parent_id",
    "CAST(json_extract(body, '$.parent_ids[1]') AS TEXT) AS second_parent_id",
)

_TEXTS = f"""
    SELECT seq, json_extract(events.body, '$.candidate_id') AS candidate_id, each.key AS component,
           {whole_value("each")} AS text, {text_name("each")} AS name
    FROM events, json_each(events.body, '$.components') AS each WHERE events.type = 'candidate.registered'"""

_FAMILIES = f"""
    SELECT seq, json_extract(events.body, '$.candidate_id') AS child, each.value AS parent,
           json_extract(events.body, '$.iteration') AS iteration,
           CASE json_extract(events.body, '$.source') WHEN 'merge' THEN 'merge' ELSE 'rewrite' END
               AS operation,
           {_RATIONALE} AS rationale
    FROM events, json_each(events.body, '$.parent_ids') AS each WHERE events.type = 'candidate.registered'"""

_NUMBERS = ("candidate.accepted", "candidate.rejected")


def _digest(text: str, name: str = "") -> str:
    """Give a column that is looked up by the number of an event, and only where a query asks for it."""
    return f"""(SELECT sha256 FROM candidate_payloads AS payload WHERE payload.seq = {text}.seq
        AND payload.component = {text}.component) AS {name or text}_sha256"""


VIEWS: Final[Mapping[str, str]] = {
    "candidates": f"""
        WITH fate AS MATERIALIZED ({_FATE})
        SELECT each.*, CAST(coalesce(fate.status, 'registered') AS TEXT) AS status,
               CAST(fate.reward AS REAL) AS train_reward, CAST(fate.stderr AS REAL) AS train_stderr,
               CAST(fate.coverage AS INTEGER) AS coverage,
               CAST(fate.heldout_reward AS REAL) AS heldout_reward,
               CAST(fate.heldout_stderr AS REAL) AS heldout_stderr
        FROM ({_REGISTERED}) AS each LEFT JOIN fate ON fate.id = each.candidate_id""",
    "candidate_payloads": f"""
        SELECT seq, CAST(candidate_id AS TEXT) AS candidate_id, CAST(component AS TEXT) AS component,
               CAST(coalesce(name, {sha256("text")}) AS TEXT) AS sha256, CAST(text AS TEXT) AS text,
               CAST(length(text) AS INTEGER) AS chars
        FROM ({_TEXTS})""",
    "candidate_deltas": f"""
        WITH texts AS MATERIALIZED ({_TEXTS})
        SELECT family.seq, CAST(child AS TEXT) AS candidate_id, CAST(parent AS TEXT) AS parent_id,
               CAST(iteration AS INTEGER) AS iteration, CAST(operation AS TEXT) AS operation,
               CAST(now.component AS TEXT) AS component,
               {_digest("before")}, {_digest("now", "after")},
               CAST(before.text AS TEXT) AS before, CAST(now.text AS TEXT) AS after,
               CAST(length(before.text) AS INTEGER) AS before_chars,
               CAST(length(now.text) AS INTEGER) AS after_chars,
               CAST(rationale AS TEXT) AS rationale
        FROM ({_FAMILIES}) AS family
        JOIN texts AS now ON now.candidate_id = family.child
        JOIN texts AS before ON before.candidate_id = family.parent AND before.component = now.component
        WHERE before.text <> now.text""",
    "acceptance_decisions": events(
        _NUMBERS,
        texts("candidate_id", "parent_id"),
        wholes("iteration"),
        texts("rule", "reason"),
        reals("before", "after", "delta"),
        wholes("rows"),
        reals("p", "evidence"),
        texts("criterion"),
        "CAST(substr(type, 11) AS TEXT) AS decision",
    ),
    "acceptance_objectives": """
        SELECT seq, CAST(json_extract(events.body, '$.candidate_id') AS TEXT) AS candidate_id,
               CAST(json_extract(events.body, '$.parent_id') AS TEXT) AS parent_id,
               CAST(each.key AS TEXT) AS objective, CAST(each.value AS REAL) AS delta
        FROM events, json_each(events.body, '$.objective_deltas') AS each
        WHERE events.type IN ('candidate.accepted', 'candidate.rejected')""",
    "evaluations": events(
        ("candidate.evaluated",),
        texts("candidate_id"),
        wholes("iteration"),
        reals("score"),
        wholes("coverage", "rows"),
        reals("stderr"),
    ),
}
