"""Invariants of the frontier: who is the best where, and who is the best of all."""

from __future__ import annotations

from gepa_framework.workspace.invariants.model import Invariant

FRONTIER = (
    Invariant(
        "evaluated_candidates_join_the_frontier",
        "Who was scored on a Pareto row joins the frontier, and nobody else does.",
        """
        SELECT 'candidate', candidate_id, 'it was evaluated on ' || coverage || ' rows and did not join'
        FROM evaluated WHERE coverage > 0 AND candidate_id NOT IN (SELECT candidate_id FROM joined)
        UNION ALL
        SELECT 'candidate', candidate_id, 'it joined and was not evaluated before' FROM joined
        WHERE NOT EXISTS (SELECT 1 FROM evaluated
                          WHERE evaluated.candidate_id = joined.candidate_id
                              AND evaluated.seq < joined.seq)""",
    ),
    Invariant(
        "cells_that_are_claimed_are_won",
        "Who takes a cell is better there than everybody before, and who shares it is as good as the best.",
        """
        SELECT 'event', seq, claims.row_id || ' is ' || claim || ' with ' || reward
            || ', and the best before is '
               || best
        FROM claims JOIN cells USING (candidate_id, row_id), run
        WHERE run.rows_are_cells AND reward IS NOT NULL AND best IS NOT NULL
          AND (reward < best OR (claim = 'improved' AND reward = best)
               OR (claim = 'tied' AND reward > best AND NOT failed))""",
    ),
    Invariant(
        "cells_that_are_won_are_claimed",
        "Who is better on a row than everybody before takes its cell; who is as good as the best shares it.",
        """
        SELECT 'candidate', candidate_id, 'it has ' || reward || ' on ' || row_id || ' and no claim to it'
        FROM cells, run
        WHERE run.rows_are_cells AND reward IS NOT NULL
          AND (best IS NULL OR reward >= best) AND (NOT failed OR reward > 0)
          AND NOT EXISTS (SELECT 1 FROM claims
                          WHERE claims.candidate_id = cells.candidate_id AND claims.row_id = cells.row_id)""",
    ),
    Invariant(
        "the_best_has_the_highest_mean",
        "The best candidate has the highest mean reward on the Pareto rows of all that have joined.",
        """
        SELECT 'event', seq, 'the best is said to be ' || best_candidate_id || ' with ' || best_score
               || ', and the highest mean is ' || highest
        FROM (SELECT joined.*, max(score) OVER (ORDER BY joined.seq) AS highest
              FROM joined JOIN evaluated ON evaluated.candidate_id = joined.candidate_id)
        WHERE best_score <> highest
           OR best_score <> (SELECT score FROM evaluated WHERE candidate_id = best_candidate_id)""",
    ),
    Invariant(
        "survivors_are_members",
        "Those who survive the reduction of the frontier have joined it.",
        """
        SELECT 'event', seq, survivor.value || ' has not joined' FROM joined, json_each(survivors) AS survivor
        WHERE NOT EXISTS (SELECT 1 FROM joined AS other
                          WHERE other.candidate_id = survivor.value AND other.seq <= joined.seq)""",
    ),
)
