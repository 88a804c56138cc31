"""Views of the run's life: its events, states and limits, and what its heldout rows said."""
# ruff: noqa: S608 - every piece is a constant of this package

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gepa_framework.workspace.views.parts import events, quoted, reals, texts, wholes

#: Event type to the state that the run is in from there on.
RUN_STATES: Final[Mapping[str, str]] = {
    "gepa.run.started": "initializing",
    "candidate.registered": "seed_full_train",
    "iteration.started": "searching",
    "heldout.started": "heldout",
    "gepa.run.finished": "finished",
    "gepa.run.failed": "failed",
    "gepa.run.cancelled": "cancelled",
    "gepa.run.extended": "extended",
}
_CANDIDATE: Final[Mapping[str, str]] = {
    "candidate.registered": "registered",
    "candidate.accepted": "accepted",
    "candidate.rejected": "rejected",
    "candidate.evaluated": "evaluated",
    "frontier.updated": "in_pool",
    "heldout.completed": "measured",
}


def _states(states: Mapping[str, str]) -> str:
    cases = " ".join(f"WHEN '{name}' THEN '{state}'" for name, state in states.items())
    return f"CASE type {cases} END"


def _where(states: Mapping[str, str]) -> str:
    return f"type IN ({quoted(*states)})"


#: Other candidates than the seed change nothing, nor do limits that are raised while the run goes on.
_RUN_STATES = f"""
    SELECT seq, elapsed_us, type, {_states(RUN_STATES)} AS state FROM (
        SELECT seq, elapsed_us, type, lag(type) OVER (ORDER BY seq) AS before FROM events
        WHERE {_where(RUN_STATES)}
          AND (type <> 'candidate.registered' OR json_extract(body, '$.source') = 'seed'))
    WHERE type <> 'gepa.run.extended' OR before = 'gepa.run.finished'"""
_RUN_CHANGES = f"""
    SELECT * FROM (SELECT seq, elapsed_us, 'run' AS entity_type,
                          (SELECT value FROM meta WHERE key = 'run_id') AS entity_id,
                          lag(state, 1, 'created') OVER (ORDER BY seq) AS from_state, state AS to_state, type
                   FROM ({_RUN_STATES}))
    WHERE from_state <> to_state"""
_CANDIDATE_CHANGES = f"""
    SELECT seq, elapsed_us, 'candidate', candidate_id,
           lag(state, 1, 'created') OVER (PARTITION BY candidate_id ORDER BY seq), state, type
    FROM (SELECT seq, elapsed_us, type, {_states(_CANDIDATE)} AS state,
                 json_extract(body, '$.candidate_id') AS candidate_id
          FROM events WHERE {_where(_CANDIDATE)})"""

VIEWS: Final[Mapping[str, str]] = {
    "event_stream_events": f"""
        SELECT seq, type, position, CAST(elapsed_us / 1e6 AS REAL) AS elapsed_seconds,
               {wholes("iteration")}, {texts("candidate_id", "row_id", "stage", "message")}
        FROM events""",
    "state_transitions": f"""
        SELECT seq, CAST(elapsed_us / 1e6 AS REAL) AS elapsed_seconds,
               CAST(entity_type AS TEXT) AS entity_type, CAST(entity_id AS TEXT) AS entity_id,
               CAST(from_state AS TEXT) AS from_state, CAST(to_state AS TEXT) AS to_state,
               CAST(type AS TEXT) AS trigger
        FROM ({_RUN_CHANGES} UNION ALL {_CANDIDATE_CHANGES})""",
    "stops": events(
        ("gepa.stop",),
        "CAST(json_extract(body, '$.kind') AS TEXT) AS reason",
        "CAST(json_extract(body, '$.limit') AS TEXT) AS \"limit\"",
        texts("value", "message"),
        wholes("iteration"),
    ),
    "run_endings": events(
        ("gepa.run.finished", "gepa.run.failed", "gepa.run.cancelled"),
        texts("best_candidate_id"),
        reals("best_score"),
        wholes("iterations", "candidates", "rollouts", "failed_rollouts"),
        reals("cost_usd"),
        wholes("total_tokens"),
        texts("error_code", "message", "reason"),
    ),
    "work_abandoned": events(("work.abandoned",), wholes("rollouts", "proposals")),
    "heldout_scores": events(
        ("heldout.completed",),
        texts("candidate_id", "role"),
        reals("score", "stderr"),
        wholes("coverage", "rows"),
    ),
    "heldout_verdicts": events(
        ("heldout.verdict",),
        texts("verdict", "candidate_id"),
        wholes("n", "differing"),
        reals("mean_difference", "stderr", "p", "confidence"),
        texts("reason"),
    ),
    "deployments": events(("deployment.decided",), texts("candidate_id", "rule")),
}
