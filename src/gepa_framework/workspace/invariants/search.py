"""Invariants of the search: its iterations, and what proposers were asked."""

from __future__ import annotations

from gepa_framework.workspace.invariants.model import Invariant

SEARCH = (
    Invariant(
        "a_run_starts_once",
        "The first event is the start of the run, and no other is.",
        """
        SELECT 'event', seq, 'it is ' || type || ', and the run starts with event 1'
        FROM events WHERE (type = 'gepa.run.started') <> (seq = (SELECT min(seq) FROM events))""",
    ),
    Invariant(
        "iterations_are_gapless",
        "Iterations are begun in their order, numbered from 1 without gaps.",
        """
        SELECT 'event', seq, 'iteration ' || iteration || ' follows iteration ' || before
        FROM (SELECT seq, iteration, lag(iteration, 1, 0) OVER (ORDER BY seq) AS before FROM begun)
        WHERE iteration NOT IN (before, before + 1)""",
    ),
    Invariant(
        "parents_are_members",
        "Every parent that an iteration selects has joined the frontier before.",
        """
        SELECT 'event', seq, coalesce(parent_id, 'nobody')
            || ' has not joined the frontier before it' FROM begun
        WHERE type = 'iteration.started'
          AND NOT EXISTS (SELECT 1 FROM joined
                          WHERE joined.candidate_id = begun.parent_id AND joined.seq < begun.seq)""",
    ),
    Invariant(
        "minibatches_are_of_training_rows",
        "Minibatches are drawn from the training rows, no row twice.",
        """
        SELECT 'event', seq, row.value || ' is no training row' FROM begun, json_each(rows) AS row
        WHERE begun.type = 'iteration.started'
          AND row.value NOT IN (SELECT row_id FROM served WHERE purpose = 'train')
        UNION ALL
        SELECT 'event', seq, row.value || ' is in it ' || count(*) || ' times'
        FROM begun, json_each(rows) AS row
        WHERE begun.type = 'iteration.started' GROUP BY seq, row.value HAVING count(*) > 1""",
    ),
    Invariant(
        "proposals_were_asked_for",
        "Every answer of a proposer belongs to an iteration in which one was asked for.",
        """
        SELECT 'input', position, effect_id || ' was not asked for' FROM outcomes
        WHERE kind IN ('proposal', 'proposal_failure') AND NOT EXISTS (
            SELECT 1 FROM asked
            WHERE asked.iteration = outcomes.iteration AND asked.position < outcomes.position)""",
    ),
    Invariant(
        "usable_proposals_are_those_given",
        "A proposal that is told to be used is an answer of that iteration, of that model and those tokens.",
        """
        SELECT 'event', seq, 'there is no answer in iteration ' || iteration || ' that it follows from'
        FROM used
        WHERE NOT EXISTS (
            SELECT 1 FROM outcomes
            WHERE kind = 'proposal' AND outcomes.position <= used.position
              AND outcomes.iteration = used.iteration AND outcomes.model IS used.model
              AND outcomes.total_tokens IS used.total_tokens)""",
    ),
    Invariant(
        "requests_are_kept",
        "The text of every request that a proposer has answered is kept under the digest that is told.",
        """
        SELECT 'event', seq, 'its request ' || request_digest || ' is not kept' FROM asked
        WHERE request_digest NOT IN (SELECT sha256 FROM blobs)
          AND EXISTS (SELECT 1 FROM outcomes WHERE outcomes.iteration = asked.iteration)""",
    ),
)
