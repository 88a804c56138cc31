"""Views of iterations, and of what was learnt before the first."""
# ruff: noqa: S608 - every piece is a constant of this package

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gepa_framework.workspace.views.parts import IS_OVER, events, quoted, texts, wholes

_TYPES = (
    *("iteration.started", "iteration.skipped", "merge.proposed", "proposer.started", "proposer.failed"),
    *("proposal.refused", "proposal.overtaken", "candidate.duplicate_skipped", "candidate.registered"),
    *("candidate.accepted", "candidate.rejected", "frontier.updated"),
)


def _count(name: str, event: str) -> str:
    return f"CAST(sum(type = '{event}') AS INTEGER) AS {name}"


_COUNTS = ", ".join(
    (
        _count("minibatches", "iteration.started"),
        _count("proposals", "proposer.started"),
        _count("failed", "proposer.failed"),
        _count("refused", "proposal.refused"),
        _count("overtaken", "proposal.overtaken"),
        _count("duplicates", "candidate.duplicate_skipped"),
        _count("skipped", "iteration.skipped"),
        _count("registered", "candidate.registered"),
        _count("accepted", "candidate.accepted"),
        _count("rejected", "candidate.rejected"),
        _count("joined", "frontier.updated"),
    )
)

_EACH = f"""
    SELECT seq, type, {wholes("iteration")},
           CASE type WHEN 'iteration.started' THEN json_extract(body, '$.parent_id')
                WHEN 'merge.proposed' THEN json_extract(body, '$.parent_ids[0]') END AS parent_id,
           CASE type WHEN 'iteration.started' THEN json_array_length(body, '$.rows') END AS rows,
           CASE type WHEN 'iteration.started' THEN json_extract(body, '$.rule')
                WHEN 'merge.proposed' THEN 'merge' END AS rule,
           CASE WHEN type IN ('iteration.skipped', 'candidate.rejected') THEN json_extract(body, '$.reason')
                WHEN type = 'proposer.failed' THEN json_extract(body, '$.message') END AS reason
    FROM events WHERE type IN ({quoted(*_TYPES)})"""

#: An iteration without a trace of its end was cut off if the run is over.
_OUTCOME = f"""CASE WHEN accepted THEN 'accepted' WHEN rejected THEN 'rejected'
    WHEN registered THEN CASE WHEN {IS_OVER} THEN 'cut_off' ELSE 'running' END
    WHEN duplicates THEN 'duplicate' WHEN failed THEN 'proposal_failed'
    WHEN skipped THEN 'skipped' WHEN overtaken THEN 'overtaken'
    WHEN {IS_OVER} THEN 'cut_off' ELSE 'running' END"""

_ITERATIONS = f"""
    SELECT iteration, CAST(min(seq) AS INTEGER) AS first_seq, CAST(max(seq) AS INTEGER) AS last_seq,
           max(rule) AS rule, min(parent_id) AS one_parent, count(DISTINCT parent_id) AS parents,
           sum(rows) AS rows, {_COUNTS}, substr(max(printf('%020d', seq) || reason), 21) AS reason
    FROM ({_EACH}) WHERE iteration > 0 GROUP BY iteration"""

VIEWS: Final[Mapping[str, str]] = {
    "iterations": f"""
        SELECT iteration, first_seq, last_seq, CAST(rule AS TEXT) AS rule,
               CAST(CASE parents WHEN 1 THEN one_parent END AS TEXT) AS parent_id,
               CAST(parents AS INTEGER) AS parents, CAST(rows AS INTEGER) AS rows, minibatches, proposals,
               failed, refused, overtaken, duplicates, skipped, registered, accepted, rejected, joined,
               CAST({_OUTCOME} AS TEXT) AS outcome, CAST(reason AS TEXT) AS reason
        FROM ({_ITERATIONS})""",
    "iteration_rows": """
        SELECT seq, CAST(json_extract(events.body, '$.iteration') AS INTEGER) AS iteration,
               CAST(json_extract(events.body, '$.parent_id') AS TEXT) AS parent_id,
               CAST(each.key AS INTEGER) AS number, CAST(each.value AS TEXT) AS row_id
        FROM events, json_each(events.body, '$.rows') AS each WHERE events.type = 'iteration.started'""",
    "merges": """
        SELECT seq, CAST(json_extract(events.body, '$.iteration') AS INTEGER) AS iteration,
               CAST(json_extract(events.body, '$.parent_ids[0]') AS TEXT) AS parent_id,
               CAST(json_extract(events.body, '$.parent_ids[1]') AS TEXT) AS second_parent_id,
               CAST(json_extract(events.body, '$.ancestor_id') AS TEXT) AS ancestor_id,
               CAST(each.key AS TEXT) AS component, CAST(each.value AS TEXT) AS taken_from
        FROM events, json_each(events.body, '$.sources') AS each WHERE events.type = 'merge.proposed'""",
    "container_contracts": events(("container.contract.verified",), texts("name", "contract", "digest")),
    "programs": """
        SELECT seq, CAST(json_extract(events.body, '$.program_id') AS TEXT) AS program_id,
               CAST(json_extract(events.body, '$.task_id') AS TEXT) AS task_id,
               CAST(json_extract(events.body, '$.digest') AS TEXT) AS digest,
               CAST(each.value AS TEXT) AS component,
               CAST(EXISTS (SELECT 1 FROM json_each(events.body, '$.targets') AS target
                            WHERE target.value = each.value) AS INTEGER) AS is_target
        FROM events, json_each(events.body, '$.components') AS each
        WHERE events.type = 'container.program.loaded'""",
    "dataset_rows": """
        SELECT seq, CAST(json_extract(events.body, '$.purpose') AS TEXT) AS purpose,
               CAST(json_extract(events.body, '$.split') AS TEXT) AS split,
               CAST(each.key AS INTEGER) AS number, CAST(each.value AS TEXT) AS row_id
        FROM events, json_each(events.body, '$.rows') AS each WHERE events.type = 'dataset.rows.loaded'""",
}
