"""Invariants of what is kept beside the journal's rows: checkpoints, and how the cache was used."""

from __future__ import annotations

from gepa_framework.workspace.checkpoints import ENDINGS
from gepa_framework.workspace.invariants.facts import OUTCOMES, quoted
from gepa_framework.workspace.invariants.model import Invariant, Severity

_REBUILD = "gepa workspace rebuild makes the checkpoints again"

DERIVED = (
    Invariant(
        "checkpoints_stand_at_inputs",
        "A checkpoint stands at an input, at the last event that follows from it, and at its time.",
        """
        SELECT 'checkpoint', position, 'input ' || position || ' is not there, or ends otherwise'
        FROM checkpoints
        WHERE NOT EXISTS (SELECT 1 FROM inputs WHERE inputs.position = checkpoints.position
                          AND inputs.elapsed_us = checkpoints.elapsed_us)
           OR seq <> coalesce((SELECT max(events.seq) FROM events
                               WHERE events.seq <= checkpoints.seq + 10000
                                 AND events.position <= checkpoints.position), 0)""",
        _REBUILD,
        Severity.WARNING,
    ),
    Invariant(
        "checkpoints_are_in_order",
        "Later checkpoints count more events.",
        """
        SELECT 'checkpoint', position, 'it counts up to event ' || seq
            || ', and the one before up to ' || before
        FROM (SELECT position, seq, lag(seq, 1, 0) OVER (ORDER BY position) AS before FROM checkpoints)
        WHERE seq <= before""",
        _REBUILD,
        Severity.WARNING,
    ),
    Invariant(
        "checkpoints_say_where_a_run_ended",
        "A checkpoint is called an end where the run ended, and nowhere else.",
        f"""
        SELECT 'checkpoint', checkpoints.position, 'it is called ' || checkpoints.kind
        FROM checkpoints JOIN events ON events.seq = checkpoints.seq
        WHERE (checkpoints.kind = 'end') <> (events.type IN ({quoted(ENDINGS)}))""",
        _REBUILD,
        Severity.WARNING,
    ),
    Invariant(
        "checkpoints_count_what_is_on_record",
        "A checkpoint counts what is on record up to its input.",
        """
        SELECT 'checkpoint', position, 'it ' || difference FROM recounted WHERE difference <> ''""",
        _REBUILD,
        Severity.WARNING,
    ),
    Invariant(
        "accesses_are_of_outcomes",
        "How the cache was used is said of outcomes alone, in words that are known.",
        f"""
        SELECT 'input', position, 'the access of a ' || kind || ' is ' || access FROM inputs
        WHERE access IS NOT NULL
          AND (kind NOT IN ({quoted(OUTCOMES)}) OR access NOT IN ('hit', 'miss', 'write'))""",
    ),
    Invariant(
        "accesses_keep_to_the_mode",
        "A cache that is off is not used, and one that is read-only answers everything that it is asked.",
        """
        SELECT 'input', position, 'its access is ' || access || ' with a cache that is ' || run.cache_mode
        FROM inputs, run
        WHERE access IN ('hit', 'miss', 'write')
          AND ((run.cache_mode = 'off') OR (run.cache_mode = 'readonly' AND access <> 'hit'))""",
    ),
)
