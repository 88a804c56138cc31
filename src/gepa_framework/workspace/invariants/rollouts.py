"""Invariants of rollouts: what is told of them, beside what came of them."""

from __future__ import annotations

from gepa_framework.workspace.invariants.facts import FAILURES, STAGES
from gepa_framework.workspace.invariants.model import Invariant

#: Beyond it, a double is infinite.
_MOST = "1.7976931348623157e308"

ROLLOUTS = (
    Invariant(
        "rows_are_those_served",
        "The rows that are told of are those that the container served, in their order.",
        """
        SELECT 'event', seq, 'the rows of ' || json_extract(body, '$.purpose') || ' are not those served'
        FROM events
        WHERE type = 'dataset.rows.loaded' AND json_valid(body)
          AND json_extract(body, '$.rows') IS NOT (
              SELECT json_group_array(row_id) FROM (
                  SELECT row_id FROM served
                  WHERE purpose = json_extract(body, '$.purpose') ORDER BY rowid))""",
    ),
    Invariant(
        "heldout_rows_are_no_training_rows",
        "No row is both searched on and reported on.",
        """
        SELECT 'row', one.split || '/' || one.row_id, 'it is a training row and a heldout row'
        FROM served AS one JOIN served AS other ON other.split = one.split AND other.row_id = one.row_id
        WHERE one.purpose = 'train' AND other.purpose = 'heldout'""",
    ),
    Invariant(
        "rollouts_are_on_served_rows",
        "Every rollout is on a row that the container served.",
        "SELECT 'event', seq, 'there is no row ' || row_id FROM told WHERE effect_id IS NULL",
    ),
    Invariant(
        "heldout_rows_stay_out_of_the_search",
        "The search runs on training rows alone, and the heldout evaluation on heldout rows alone.",
        "SELECT 'event', seq, 'row ' || row_id || ' was run in stage ' || stage FROM told WHERE misplaced",
    ),
    Invariant(
        "stages_are_known",
        "Every rollout was run for a reason that is known.",
        f"SELECT 'event', seq, 'its stage is ' || stage FROM told WHERE stage NOT IN ({STAGES})",
    ),
    Invariant(
        "failures_are_of_a_known_family",
        "Every failed rollout or attempt belongs to a family that is known.",
        f"""
        SELECT 'event', seq, 'its kind is ' || kind FROM told
        WHERE type = 'rollout.failed' AND kind NOT IN ({FAILURES})
        UNION ALL
        SELECT 'attempt', effect_id || ' ' || attempt, 'its kind is ' || kind FROM attempts
        WHERE kind NOT IN ({FAILURES})""",
    ),
    Invariant(
        "rollouts_follow_from_outcomes",
        "Every rollout that is told of follows from its outcome, scored from scored and failed from failed.",
        """
        SELECT 'event', seq, 'there is no outcome of ' || told.effect_id || ' that it follows from'
        FROM told
        WHERE told.effect_id IS NOT NULL AND NOT misplaced AND NOT EXISTS (
            SELECT 1 FROM outcomes
            WHERE outcomes.effect_id = told.effect_id AND outcomes.position <= told.position
              AND outcomes.kind = CASE told.type WHEN 'rollout.completed' THEN 'rollout'
                                                 ELSE 'rollout_failure' END)""",
    ),
    Invariant(
        "outcomes_of_rollouts_are_told",
        "Once a run is over, every outcome of a rollout was told of.",
        """
        SELECT 'input', position, 'nothing tells of ' || effect_id
        FROM outcomes, run
        WHERE run.ending IN ('gepa.run.finished', 'gepa.run.cancelled')
          AND kind IN ('rollout', 'rollout_failure')
          AND effect_id NOT IN (SELECT effect_id FROM told WHERE effect_id IS NOT NULL)""",
    ),
    Invariant(
        "rollouts_are_told_once",
        "No rollout is told of twice.",
        """
        SELECT 'event', max(seq), 'event ' || min(seq) || ' tells of ' || effect_id || ' already'
        FROM told WHERE effect_id IS NOT NULL GROUP BY effect_id HAVING count(*) > 1""",
    ),
    Invariant(
        "rollouts_are_of_registered_candidates",
        "No candidate is run before it is registered.",
        """
        SELECT 'event', seq, candidate_id || ' is not registered before it' FROM told
        WHERE NOT EXISTS (SELECT 1 FROM registered
                          WHERE registered.candidate_id = told.candidate_id AND registered.seq < told.seq)""",
    ),
    Invariant(
        "rewards_are_finite",
        "Every reward and every objective score is a finite number.",
        f"""
        SELECT 'event', seq, 'its reward is ' || coalesce(reward, 'missing') FROM told
        WHERE type = 'rollout.completed'
          AND (typeof(reward) NOT IN ('real', 'integer') OR abs(reward) > {_MOST})
        UNION ALL
        SELECT 'event', seq, 'its objective ' || objective.key || ' is '
            || coalesce(objective.value, 'missing')
        FROM events, json_each(CASE WHEN json_valid(body) THEN body ELSE '{{}}' END, '$.objectives')
            AS objective
        WHERE events.type = 'rollout.completed'
          AND (objective.type NOT IN ('real', 'integer') OR abs(objective.value) > {_MOST})""",
    ),
    Invariant(
        "rewards_are_those_given",
        "The reward that is told is the one that the container gave.",
        f"""
        SELECT 'event', seq, 'its reward is ' || told.reward || ', and ' || outcomes.reward || ' was given'
        FROM told JOIN outcomes ON outcomes.effect_id = told.effect_id
        WHERE told.type = 'rollout.completed' AND outcomes.kind = 'rollout'
          AND abs(told.reward) <= {_MOST} AND told.reward <> outcomes.reward""",
    ),
    Invariant(
        "usage_of_rollouts_is_that_given",
        "What a rollout is told to have taken is what the container says that it took.",
        """
        SELECT 'event', seq, 'what it took is not what its outcome says'
        FROM told JOIN outcomes ON outcomes.effect_id = told.effect_id
        WHERE told.type = 'rollout.completed' AND outcomes.kind = 'rollout'
          AND (told.total_tokens IS NOT outcomes.total_tokens
               OR (outcomes.cost_usd IS NOT NULL AND told.cost_usd IS NOT outcomes.cost_usd))""",
    ),
    Invariant(
        "equal_requests_have_equal_digests",
        "A candidate on a row is the same request, whatever it is run for.",
        """
        SELECT 'effect', max(effect_id), 'the same was asked under '
            || count(DISTINCT request_digest) || ' digests'
        FROM (SELECT told.candidate_id || '/' || told.row_id || '/' || (told.stage = 'heldout') AS asked,
                     told.effect_id, request_digest
              FROM told JOIN outcomes ON outcomes.effect_id = told.effect_id
              WHERE request_digest IS NOT NULL)
        GROUP BY asked HAVING count(DISTINCT request_digest) > 1""",
    ),
)
