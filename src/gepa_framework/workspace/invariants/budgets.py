"""Invariants of budgets: what was spent of the limits that held at the time."""

from __future__ import annotations

from gepa_framework.workspace.invariants.model import Invariant

_HINT = "it was damaged, or gepa-framework has spent what it must not: report it, with the workspace"


#: What was given up under way was run all the same.
_GIVEN_UP = "coalesce((SELECT sum(rollouts) FROM given_up WHERE given_up.seq < bounds.until), 0)"
#: What a cancel gave up may have been on heldout rows; all else was of the search.
_OF_THE_SEARCH = _GIVEN_UP.replace(
    "), 0)", " AND given_up.position NOT IN (SELECT position FROM inputs WHERE kind = 'cancel')), 0)"
)


def _rollouts(name: str, says: str, stages: str, given_up: str = "0") -> Invariant:
    """Give the invariant of a limit on rollouts, to which those belong that were given up under way."""
    return Invariant(
        f"{name}_keep_to_their_limit",
        says,
        f"""
        SELECT 'event', seq, 'its limit of ' || value || ' {name} was passed by ' || (spent - value)
        FROM (SELECT seq, value, (SELECT count(*) FROM told WHERE told.seq < bounds.until AND {stages})
                     + {given_up} AS spent
              FROM bounds WHERE name = '{name}')
        WHERE spent > value""",
        _HINT,
    )


BUDGETS = (
    _rollouts(
        "train_rollouts",
        "The search never runs more rollouts than it may.",
        "stage <> 'heldout'",
        _OF_THE_SEARCH,
    ),
    _rollouts(
        "heldout_rollouts", "Heldout rows never take more rollouts than they may.", "stage = 'heldout'"
    ),
    _rollouts("total_rollouts", "A run never runs more rollouts than it may.", "1", _GIVEN_UP),
    Invariant(
        "proposals_keep_to_their_limit",
        "Proposers are never asked more often than they may be.",
        """
        SELECT 'event', seq, 'its limit of ' || value || ' proposals was passed by ' || (spent - value)
        FROM (SELECT seq, value,
                     (SELECT count(*) FROM outcomes WHERE kind IN ('proposal', 'proposal_failure')
                      AND outcomes.position < bounds.until_position)
                     + coalesce((SELECT sum(proposals) FROM given_up
                                 WHERE given_up.seq < bounds.until), 0) AS spent
              FROM bounds WHERE name = 'proposals')
        WHERE spent > value""",
        _HINT,
    ),
    Invariant(
        "iterations_keep_to_their_limit",
        "No more iterations are begun than may be.",
        """
        SELECT 'event', begun.seq, 'iteration ' || iteration || ' was begun beyond the limit of ' || value
        FROM begun JOIN bounds ON begun.seq > bounds.seq AND begun.seq < bounds.until
        WHERE bounds.name = 'iterations' AND iteration > value""",
        _HINT,
    ),
    Invariant(
        "nothing_is_begun_once_money_is_spent",
        "No iteration is begun once a limit on money or tokens is reached.",
        """
        SELECT 'event', begun.seq, 'it was begun with ' || spent || ' spent of ' || value || ' '
            || bounds.name
        FROM (SELECT seq, 'cost_usd' AS name, sum(cost) OVER (ORDER BY seq) AS spent
              FROM (SELECT seq, coalesce(cost_usd, 0.0) AS cost FROM paid)
              UNION ALL
              SELECT seq, 'total_tokens', sum(tokens) OVER (ORDER BY seq)
              FROM (SELECT seq, coalesce(total_tokens, 0) AS tokens FROM paid)) AS sums
        JOIN begun ON begun.seq = sums.seq
        JOIN bounds ON bounds.name = sums.name AND begun.seq > bounds.seq AND begun.seq < bounds.until
        WHERE spent > value + 1e-9""",
        _HINT,
    ),
)
