"""Invariants of the journal's rows as rows."""

from __future__ import annotations

from gepa_framework.workspace.invariants.facts import KINDS, OUTCOMES, quoted
from gepa_framework.workspace.invariants.model import Invariant

_META = ("run_id", "framework", "config_text", "config_file", "base_dir", "sets", "plugins_lock")
_UPGRADE = "it was written by another program or edited; upgrade gepa-framework, or restore it from a backup"

JOURNAL = (
    Invariant(
        "meta_is_complete",
        "What the run was begun with is recorded under every key that is needed to replay it.",
        f"""
        SELECT 'meta', wanted.value, wanted.value || ' is not recorded'
        FROM json_each('["{'", "'.join(_META)}"]') AS wanted
        WHERE NOT EXISTS (SELECT 1 FROM meta WHERE key = wanted.value)""",
    ),
    Invariant(
        "positions_are_gapless",
        "Inputs are numbered from 1 without gaps.",
        """
        SELECT 'input', position, 'it follows input ' || before || ': there is a gap'
        FROM (SELECT position, lag(position, 1, 0) OVER (ORDER BY position) AS before FROM inputs)
        WHERE position <> before + 1""",
    ),
    Invariant(
        "seqs_are_gapless",
        "Events are numbered from 1 without gaps.",
        """
        SELECT 'event', seq, 'it follows event ' || before || ': there is a gap'
        FROM (SELECT seq, lag(seq, 1, 0) OVER (ORDER BY seq) AS before FROM events)
        WHERE seq <> before + 1""",
    ),
    Invariant(
        "kinds_are_known",
        "Every input is of a kind that is known.",
        f"SELECT 'input', position, 'its kind is ' || kind FROM inputs WHERE kind NOT IN ({quoted(KINDS)})",
        _UPGRADE,
    ),
    Invariant(
        "event_types_are_known",
        "Every event is of a type that is known.",
        "SELECT 'event', seq, 'its type is ' || type FROM events WHERE type NOT IN (SELECT type FROM types)",
        _UPGRADE,
    ),
    Invariant(
        "payloads_are_json",
        "The payload of every input is JSON.",
        "SELECT 'input', position, 'its payload is no JSON' FROM inputs WHERE NOT json_valid(payload)",
    ),
    Invariant(
        "bodies_are_json",
        "The body of every event is JSON.",
        "SELECT 'event', seq, 'its body is no JSON' FROM events WHERE NOT json_valid(body)",
    ),
    Invariant(
        "chains_are_digests",
        "Every input and event has a link of its chain, 32 bytes.",
        """
        SELECT 'input', position, 'its link is no SHA-256' FROM inputs
        WHERE typeof(chain) <> 'blob' OR length(chain) <> 32
        UNION ALL
        SELECT 'event', seq, 'its link is no SHA-256' FROM events
        WHERE typeof(chain) <> 'blob' OR length(chain) <> 32""",
    ),
    Invariant(
        "the_start_is_the_first_input",
        "The first input is the start, and no other is.",
        """
        SELECT 'input', position, 'it is a ' || kind || ', and the start is input 1'
        FROM inputs WHERE (kind = 'start') <> (position = 1)""",
    ),
    Invariant(
        "effects_have_one_outcome",
        "An effect has one outcome.",
        """
        SELECT 'effect', effect_id, 'it has ' || count(*) || ' outcomes'
        FROM inputs WHERE effect_id IS NOT NULL GROUP BY effect_id HAVING count(*) > 1""",
    ),
    Invariant(
        "outcomes_name_their_effect",
        "Every outcome names its effect, and no other input names one.",
        f"""
        SELECT 'input', position, 'a ' || kind || ' names ' || coalesce(effect_id, 'no effect')
        FROM inputs
        WHERE kind IN ({quoted(KINDS)}) AND (kind IN ({quoted(OUTCOMES)})) <> (effect_id IS NOT NULL)""",
    ),
    Invariant(
        "attempts_belong_to_rollouts",
        "Every attempt that was tried again belongs to the outcome of its rollout.",
        """
        SELECT 'attempt', effect_id || ' ' || attempt, 'input ' || position || ' is not its outcome'
        FROM attempts
        WHERE NOT EXISTS (
            SELECT 1 FROM inputs
            WHERE inputs.position = attempts.position AND inputs.effect_id = attempts.effect_id
              AND inputs.kind IN ('rollout', 'rollout_failure'))""",
    ),
    Invariant(
        "attempts_are_gapless",
        "The attempts at a rollout are numbered from 1 without gaps.",
        """
        SELECT 'attempt', effect_id || ' ' || attempt, 'it follows attempt ' || before
        FROM (SELECT effect_id, attempt, lag(attempt, 1, 0) OVER (
                  PARTITION BY effect_id ORDER BY attempt) AS before FROM attempts)
        WHERE attempt <> before + 1""",
    ),
    Invariant(
        "events_belong_to_inputs",
        "Every event follows from an input that is there.",
        """
        SELECT 'event', seq, 'there is no input ' || position FROM events
        WHERE position NOT IN (SELECT position FROM inputs)""",
    ),
    Invariant(
        "events_are_in_the_order_of_inputs",
        "Later events follow from the same input or from later ones.",
        """
        SELECT 'event', seq, 'it follows from input ' || position || ', and the one before from ' || before
        FROM (SELECT seq, position, lag(position, 1, 0) OVER (ORDER BY seq) AS before FROM events)
        WHERE position < before""",
    ),
    Invariant(
        "the_clock_never_goes_back",
        "No input was fed at an earlier time worked than the one before it.",
        """
        SELECT 'input', position, 'it was fed at ' || elapsed_us || ' µs, and the one before at ' || before
        FROM (SELECT position, elapsed_us, lag(elapsed_us, 1, 0) OVER (ORDER BY position) AS before
              FROM inputs)
        WHERE elapsed_us < before""",
    ),
    Invariant(
        "events_have_the_time_of_their_input",
        "An event happened when its input was fed.",
        """
        SELECT 'event', seq, 'it is of ' || events.elapsed_us || ' µs, and its input of ' || inputs.elapsed_us
        FROM events JOIN inputs ON inputs.position = events.position
        WHERE events.elapsed_us <> inputs.elapsed_us""",
    ),
    Invariant(
        "texts_have_their_digest",
        "Every text is kept under its own SHA-256.",
        "SELECT 'text', sha256, 'it is not what was written' FROM blobs WHERE NOT is_kept(sha256)",
    ),
)
