"""Invariants of endings: how a search stops, what is measured then, and how a run is over."""

from __future__ import annotations

from gepa_framework.workspace.checkpoints import ENDINGS as TYPES
from gepa_framework.workspace.invariants.facts import quoted
from gepa_framework.workspace.invariants.model import Invariant


def _finished(*names: str) -> str:
    fields = ", ".join(f"json_extract(body, '$.{name}') AS {name}" for name in names)
    where = "type = 'gepa.run.finished' AND json_valid(body)"
    return f"(SELECT seq, position, {fields} FROM events WHERE {where}) AS finished"


ENDINGS = (
    Invariant(
        "an_ending_is_the_last_event",
        "Nothing comes after the end of a run, but for higher limits after a finish.",
        f"""
        SELECT 'event', events.seq, 'it comes after ' || before.type
        FROM events JOIN events AS before ON before.seq = events.seq - 1
        WHERE before.type IN ({quoted(TYPES)})
          AND NOT (before.type = 'gepa.run.finished' AND events.type = 'gepa.run.extended')""",
    ),
    Invariant(
        "a_search_stops_before_heldout_rows",
        "The heldout rows are looked at once the search has stopped, with no iteration begun in between.",
        """
        SELECT 'event', seq, 'the search had not stopped' FROM events
        WHERE type = 'heldout.started'
          AND coalesce((SELECT max(seq) FROM events AS stop WHERE stop.type = 'gepa.stop'
                        AND stop.seq < events.seq), 0)
              <= coalesce((SELECT max(seq) FROM begun WHERE begun.seq < events.seq), 0)""",
    ),
    Invariant(
        "heldout_candidates_are_measured_once",
        "The heldout rows are run once for each candidate that they are due for, and for nobody else.",
        """
        SELECT 'event', seq, candidate_id || ' was not due before it'
        FROM (SELECT seq, json_extract(body, '$.candidate_id') AS candidate_id FROM events
              WHERE type = 'heldout.completed' AND json_valid(body)) AS done
        WHERE NOT EXISTS (
            SELECT 1 FROM events AS due, json_each(CASE WHEN json_valid(due.body) THEN due.body
                END, '$.candidates')
            WHERE due.type = 'heldout.started' AND due.seq < done.seq AND json_each.value = candidate_id)
        UNION ALL
        SELECT 'candidate', json_extract(body, '$.candidate_id'), 'it was measured ' || count(*) || ' times'
        FROM events WHERE type = 'heldout.completed' AND json_valid(body)
        GROUP BY json_extract(body, '$.candidate_id') HAVING count(*) > 1""",
    ),
    Invariant(
        "heldout_scores_are_means",
        "A heldout score is the mean of the rewards on the heldout rows that it covers.",
        """
        SELECT 'event', seq, 'its score is ' || score || ' over ' || coverage
            || ' rows, and the rewards come to '
               || sum || ' over ' || known
        FROM (SELECT done.*, count(reward) AS known, count(told.seq) AS wanted,
                     total(reward) AS sum, total(abs(reward)) AS weight
              FROM (SELECT seq, json_extract(body, '$.candidate_id') AS candidate_id,
                           json_extract(body, '$.score') AS score, json_extract(body, '$.coverage')
                               AS coverage
                    FROM events WHERE type = 'heldout.completed' AND json_valid(body)) AS done
              LEFT JOIN told ON told.candidate_id = done.candidate_id AND told.stage = 'heldout'
              WHERE score IS NOT NULL GROUP BY done.seq)
        WHERE abs(score * coverage - sum) > 1e-9 * (1 + weight) OR coverage NOT IN (known, wanted)""",
    ),
    Invariant(
        "the_deployed_candidate_is_a_member",
        "The candidate that a run gives as its best has joined the frontier.",
        """
        SELECT 'event', seq, json_extract(body, '$.candidate_id') || ' has not joined the frontier before it'
        FROM events
        WHERE type = 'deployment.decided' AND json_valid(body)
          AND NOT EXISTS (SELECT 1 FROM joined WHERE joined.seq < events.seq
                          AND joined.candidate_id = json_extract(body, '$.candidate_id'))""",
    ),
    Invariant(
        "a_finish_counts_what_there_was",
        "The end of a run tells of as many rollouts, failures, members and iterations as there were.",
        f"""
        SELECT 'event', seq, 'it tells of ' || rollouts || ' rollouts, ' || failed_rollouts || ' failed, '
               || candidates || ' members and ' || iterations || ' iterations'
        FROM {_finished("rollouts", "failed_rollouts", "candidates", "iterations")}
        WHERE rollouts <> (SELECT count(*) FROM told WHERE told.seq < finished.seq)
           OR failed_rollouts <> (SELECT count(*) FROM told
                                  WHERE told.seq < finished.seq AND told.type = 'rollout.failed')
           OR candidates <> (SELECT count(*) FROM joined WHERE joined.seq < finished.seq)
           OR iterations <> coalesce((SELECT max(iteration) FROM begun WHERE begun.seq < finished.seq), 0)""",
    ),
    Invariant(
        "a_finish_names_the_best",
        "The end of a run names the best candidate, with its score.",
        f"""
        SELECT 'event', finished.seq, 'it names ' || finished.best_candidate_id || ' with '
            || finished.best_score
        FROM {_finished("best_candidate_id", "best_score")}
        JOIN joined ON joined.seq = (SELECT max(seq) FROM joined WHERE joined.seq < finished.seq)
        WHERE joined.best_candidate_id <> finished.best_candidate_id
           OR joined.best_score <> finished.best_score""",
    ),
    Invariant(
        "a_finish_sums_up_what_was_paid",
        "The end of a run tells of the tokens of all outcomes, and of their cost where all say it.",
        f"""
        SELECT 'event', seq, 'it tells of ' || coalesce(total_tokens, 'unknown') || ' tokens and '
               || coalesce(cost_usd, 'unknown') || ' US dollars, and the outcomes of '
               || coalesce(tokens, 'unknown') || ' and ' || coalesce(cost, 'unknown')
        FROM (SELECT finished.*,
                     CASE WHEN count(outcomes.position) = count(outcomes.total_tokens)
                          THEN coalesce(sum(outcomes.total_tokens), 0) END AS tokens,
                     CASE WHEN count(outcomes.position) = count(outcomes.cost_usd)
                          THEN total(outcomes.cost_usd) END AS cost,
                     count(outcomes.position) AS calls
              FROM {_finished("total_tokens", "cost_usd")}
              LEFT JOIN outcomes ON outcomes.position <= finished.position GROUP BY finished.seq)
        WHERE total_tokens IS NOT tokens
           OR (cost IS NOT NULL AND (cost_usd IS NULL OR abs(cost_usd - cost) > 1e-9 * (1 + calls)))""",
    ),
    Invariant(
        "extensions_and_cancels_are_told",
        "Every extension and every cancel is told of by an event, and no event tells of one that was none.",
        """
        SELECT 'input', position, 'nothing tells of this ' || kind FROM inputs
        WHERE kind IN ('extend', 'cancel') AND NOT EXISTS (
            SELECT 1 FROM events WHERE events.position = inputs.position
              AND events.type LIKE 'gepa.run.' || inputs.kind || '%')
        UNION ALL
        SELECT 'event', seq, 'it is ' || type || ', and its input is no such thing' FROM events
        WHERE type IN ('gepa.run.extended', 'gepa.run.cancelled') AND NOT EXISTS (
            SELECT 1 FROM inputs WHERE inputs.position = events.position
              AND events.type LIKE 'gepa.run.' || inputs.kind || '%')""",
    ),
)
