"""Views of proposals: who was asked for what, on which evidence, and what became of the answer."""
# ruff: noqa: S608 - every piece is a constant of this package

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gepa_framework.workspace.views.parts import (
    BACKEND,
    IS_OVER,
    SPLIT,
    TOKENS,
    abandoned,
    field,
    texts,
    wholes,
)
from gepa_framework.workspace.whole import whole_json, whole_text

#: The effect id of the first question of a slot. Slots of an iteration are asked in their order.
_ID = "'proposal/' || iteration || CASE slot WHEN 0 THEN '' ELSE '/' || slot END"

#: One row for each slot of an iteration.
ASKED: Final = f"""
    SELECT *, {_ID} AS effect_id FROM (
        SELECT *, row_number() OVER (PARTITION BY iteration ORDER BY seq) - 1 AS slot FROM (
            SELECT seq, {wholes("iteration", "evidence")}, {texts("parent_id", "request_digest")}
            FROM events WHERE type = 'proposer.started'))"""

_ENDED = f"""
    SELECT position, effect_id, kind, payload, access, request_digest FROM inputs
    WHERE kind IN ('proposal', 'proposal_failure')
    UNION ALL {abandoned("proposal", "position, each.value, 'abandoned', '{}', NULL, NULL")}"""

#: An id is ``proposal/ITERATION[/SLOT][/repair][/again]``; the answers of a slot come one after the other.
_ADDRESSED = f"""
    SELECT *, CAST(substr(rest, instr(rest || '/', '/') + 1) AS INTEGER) AS slot
    FROM (SELECT *, CAST(substr(effect_id, 10) AS INTEGER) AS iteration, substr(effect_id, 10) AS rest
          FROM ({_ENDED}))"""
_ANSWERS = f"""
    SELECT *, row_number() OVER (PARTITION BY iteration, round ORDER BY slot) AS place
    FROM (SELECT *, row_number() OVER (PARTITION BY iteration, slot ORDER BY position) AS round
          FROM ({_ADDRESSED}))"""

#: The slots of an iteration go on together, a round of answers at a time, and in each round one after the
#: other: the n-th event of a round tells what became of the n-th answer of that round.
_TOLD = """
    SELECT *, dense_rank() OVER (PARTITION BY iteration ORDER BY position) AS round,
           row_number() OVER (PARTITION BY iteration, position ORDER BY seq) AS place
    FROM (SELECT seq, position, type, body, json_extract(body, '$.iteration') AS iteration FROM events
          WHERE type IN ('proposer.completed', 'proposer.failed', 'proposal.refused',
                         'proposal.overtaken'))"""

_STATUS = f"""CASE told.type WHEN 'proposer.completed' THEN 'completed' WHEN 'proposer.failed' THEN 'failed'
    WHEN 'proposal.refused' THEN 'refused'
    WHEN 'proposal.overtaken' THEN
        CASE json_extract(told.body, '$.action') WHEN 'dropped' THEN 'dropped' ELSE 'sent_back' END
    ELSE CASE WHEN answers.kind = 'abandoned' THEN 'abandoned' WHEN answers.kind IS NOT NULL THEN 'answered'
         WHEN {IS_OVER} THEN 'revoked' ELSE 'pending' END END"""

_RESULT = """CASE child.type WHEN 'candidate.registered' THEN 'registered'
    WHEN 'candidate.duplicate_skipped' THEN 'duplicate' WHEN 'iteration.skipped' THEN 'unchanged' END"""

_TURN = """CASE WHEN answers.effect_id LIKE '%/repair' THEN 'repair'
    WHEN answers.effect_id LIKE '%/again' THEN 'again' ELSE 'first' END"""

_CALLED = """CASE answers.kind WHEN 'proposal' THEN 'completed' WHEN 'proposal_failure' THEN 'failed'
    ELSE 'abandoned' END"""

_REASONS = "(SELECT group_concat(each.value, char(10)) FROM json_each(told.body, '$.reasons') AS each)"

_RATIONALE = whole_text("answers.payload", "$.rationale")

_FRAMES = f"""
    SELECT asked.seq, asked.effect_id AS proposal_id, asked.iteration, asked.parent_id AS candidate_id,
           each.key AS number, {whole_json("each.value")} AS frame,
           {whole_text("each.value", "$.row_id")} AS row_id,
           json_extract(each.value, '$.reward') AS reward, 'parent_minibatch' AS stage
    FROM asked JOIN blobs ON blobs.sha256 = asked.request_digest,
         json_each(blobs.body, '$.evidence') AS each"""

#: A frame that was judged as its reward alone tells says no more.
_KIND = """coalesce(json_extract(frame, '$.kind'), CASE
    WHEN reward IS NULL OR json_type(frame, '$.failure') = 'object' THEN 'failure'
    WHEN reward >= 1 THEN 'win' ELSE 'loss' END)"""
_ROLLOUT = f"""'rollout/' || iteration || '/' || stage || '/' || candidate_id || '/' || {SPLIT} || '/'
    || row_id"""


def _answered(name: str) -> str:
    return field("TEXT", name, of="answers.payload")


VIEWS: Final[Mapping[str, str]] = {
    "proposals": f"""
        WITH asked AS MATERIALIZED ({ASKED}), answers AS MATERIALIZED ({_ANSWERS}),
             told AS MATERIALIZED ({_TOLD})
        SELECT asked.seq, CAST(coalesce(answers.effect_id, asked.effect_id) AS TEXT) AS effect_id,
               CAST(asked.iteration AS INTEGER) AS iteration, CAST(asked.slot AS INTEGER) AS slot,
               CAST({_TURN} AS TEXT) AS turn, CAST(asked.parent_id AS TEXT) AS parent_id,
               CAST(asked.request_digest AS TEXT) AS request_digest,
               CAST(asked.evidence AS INTEGER) AS evidence, CAST(answers.position AS INTEGER) AS position,
               CAST(told.seq AS INTEGER) AS outcome_seq, CAST({_STATUS} AS TEXT) AS status,
               CAST({_RESULT} AS TEXT) AS result,
               CAST(coalesce(json_extract(child.body, '$.candidate_id'),
                    CASE child.type WHEN 'iteration.skipped' THEN asked.parent_id END) AS TEXT)
                   AS candidate_id,
               {field("TEXT", "code", of="told.body")}, {field("TEXT", "message", of="told.body")},
               CAST({_REASONS} AS TEXT) AS reasons, CAST({_RATIONALE} AS TEXT) AS rationale,
               {field("TEXT", "model", of="answers.payload")},
               {field("TEXT", "requested_model", of="answers.payload")},
               {TOKENS.replace("(payload", "(answers.payload")},
               CAST(coalesce(json_extract(told.body, '$.cost_usd'),
                    json_extract(answers.payload, '$.usage.cost_usd')) AS REAL) AS cost_usd,
               CAST(answers.access AS TEXT) AS cache
        FROM asked
        LEFT JOIN answers ON answers.iteration = asked.iteration AND answers.slot = asked.slot
        LEFT JOIN told ON told.iteration = answers.iteration AND told.round = answers.round
             AND told.place = answers.place
        LEFT JOIN events AS child ON told.type = 'proposer.completed' AND child.seq = told.seq + 1""",
    "evidence_frames": f"""
        WITH asked AS MATERIALIZED ({ASKED})
        SELECT seq, CAST(proposal_id AS TEXT) AS proposal_id, CAST(number AS INTEGER) AS number,
               CAST({_ROLLOUT} AS TEXT) AS rollout_id, CAST(iteration AS INTEGER) AS iteration,
               CAST(candidate_id AS TEXT) AS candidate_id, CAST(row_id AS TEXT) AS row_id,
               CAST({_KIND} AS TEXT) AS kind, CAST(reward AS REAL) AS reward,
               CAST(coalesce(json_extract(frame, '$.count'), 1) AS INTEGER) AS count,
               CAST(length(CAST(frame AS BLOB)) AS INTEGER) AS bytes,
               CAST(coalesce(json_array_length(frame, '$.cut'), 0) AS INTEGER) AS cut,
               {field("TEXT", "output", of="frame")}, {field("TEXT", "code", "failure.code", of="frame")},
               {field("TEXT", "message", "failure.message", of="frame")}
        FROM ({_FRAMES})""",
    "proposal_leaks": f"""
        SELECT seq, {wholes("iteration")}, {texts("parent_id", "component", "row_id", "span")},
               {wholes("chars")} FROM events WHERE type = 'proposal.leak_warned'""",
    "subagent_invocations": f"""
        WITH asked AS MATERIALIZED ({ASKED}), answers AS MATERIALIZED ({_ANSWERS})
        SELECT answers.position, answers.effect_id, 'proposer' AS role, CAST({BACKEND} AS TEXT) AS backend,
               CAST(answers.iteration AS INTEGER) AS iteration, CAST(answers.slot AS INTEGER) AS slot,
               CAST(answers.round AS INTEGER) AS number, CAST({_TURN} AS TEXT) AS turn,
               CAST(asked.parent_id AS TEXT) AS candidate_id,
               CAST(answers.request_digest AS TEXT) AS request_digest, CAST({_CALLED} AS TEXT) AS status,
               {", ".join(map(_answered, ("code", "message", "requested_model", "model")))},
               CAST(json_extract(answers.payload, '$.requested_model')
                    <> json_extract(answers.payload, '$.model') AS INTEGER) AS substituted,
               {TOKENS.replace("(payload", "(answers.payload")},
               {field("REAL", "cost_usd", "usage.cost_usd", of="answers.payload")},
               CAST(answers.access AS TEXT) AS cache
        FROM answers
        LEFT JOIN asked ON asked.iteration = answers.iteration AND asked.slot = answers.slot""",
}
