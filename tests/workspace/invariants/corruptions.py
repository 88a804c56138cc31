"""One corruption for each invariant: what is done to a workspace, and what is noticed besides."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

LAST = "SELECT max(position) FROM inputs"
PARENT = "type = 'rollout.completed' AND json_extract(body, '$.stage') = 'parent_minibatch'"
PARENT_INPUT = "effect_id LIKE 'rollout/1/parent_minibatch/%'"
NOBODY = "gepa_000000000000"
CANDIDATE = "json_extract(body, '$.candidate_id')"
SOMEBODY = f"(SELECT {CANDIDATE} FROM events WHERE type = 'candidate.rejected' LIMIT 1)"
#: A type that no invariant asks for.
HARMLESS = "proposal.leak_warned"


@attrs.frozen
class Corruption:
    """What is done, in SQL.

    Attributes:
        statements: Each changes one row at the least.
        also: Invariants that cannot but be violated too.
        because: Why they cannot.
    """

    statements: tuple[str, ...]
    also: frozenset[str] = frozenset()
    because: str = ""


def of(*statements: str, **also: str) -> Corruption:
    return Corruption(statements, frozenset(also), "; ".join(also.values()))


def row(where: str, last: bool = True) -> str:
    return f"seq = (SELECT {'max' if last else 'min'}(seq) FROM events WHERE {where})"


def edit(where: str, path: str, value: str, *, last: bool = True) -> str:
    return f"UPDATE events SET body = json_set(body, '$.{path}', {value}) WHERE {row(where, last)}"


def add(kind: str, effect: str = "NULL", payload: str = "{}") -> str:
    """Add an input behind the end, where nothing follows from it."""
    return (
        "INSERT INTO inputs SELECT position + 1, "
        f"'{kind}', {effect}, NULL, elapsed_us, '{payload}', zeroblob(32), NULL "
        f"FROM inputs WHERE position = ({LAST})"
    )


def retype(where: str, kind: str, *, last: bool = True) -> str:
    return f"UPDATE events SET type = '{kind}' WHERE {row(where, last)}"


def move(of_input: str, old: str, new: str) -> tuple[str, ...]:
    """Let another effect have had an outcome."""
    return (f"UPDATE inputs SET effect_id = replace(effect_id, {old}, {new}) WHERE {of_input}",)


def typed(name: str) -> str:
    return f"type = '{name}'"


def copy(name: str, place: str) -> str:
    """Put a copy of the first event of a type in the place of another event."""
    source = f"SELECT {{0}} FROM events WHERE type = '{name}' AND {{1}} LIMIT 1"
    same = "json_extract(body, '$.candidate_id') IS NOT NULL"
    body = source.format("body", same)
    return f"UPDATE events SET type = '{name}', body = ({body}) WHERE {row(typed(place))}"


SPARE = "candidate.duplicate_skipped"
ACCEPTED, REJECTED = typed("candidate.accepted"), typed("candidate.rejected")
JOINED, EVALUATED = typed("frontier.updated"), typed("candidate.evaluated")
FINISHED, EXTENDED = typed("gepa.run.finished"), typed("gepa.run.extended")
REGISTERED = "type = 'candidate.registered' AND json_extract(body, '$.changed') = '[\"answer\"]'"
BEGUN, DEPLOYED = typed("iteration.started"), typed("deployment.decided")
#: The one that joined before the last.
MIDDLE = f"{JOINED} AND seq < (SELECT max(seq) FROM events WHERE {JOINED})"
HELDOUT = "type = 'rollout.completed' AND json_extract(body, '$.stage') = 'heldout'"
TAIL = f"{HELDOUT} AND json_extract(body, '$.row_id') LIKE '%:102'"
NEWEST = "WHERE rowid = (SELECT max(rowid) FROM checkpoints)"
UNTOLD = "what is told of another rollout is not told of this one"

CORRUPTIONS: Mapping[str, Corruption] = {
    "meta_is_complete": of("DELETE FROM meta WHERE key = 'sets'"),
    "positions_are_gapless": of(
        f"UPDATE events SET position = position + 1 WHERE position = ({LAST})",
        f"UPDATE inputs SET position = position + 1 WHERE position = ({LAST})",
    ),
    "seqs_are_gapless": of(f"UPDATE events SET seq = seq + 1 WHERE {row('1')}"),
    "kinds_are_known": of(add("rumour")),
    "event_types_are_known": of(retype(DEPLOYED, "rumour")),
    "payloads_are_json": of(add("tick", payload="{")),
    "bodies_are_json": of(f"UPDATE events SET body = '{{' WHERE {row(typed('heldout.verdict'))}"),
    "chains_are_digests": of("UPDATE events SET chain = x'00' WHERE seq = 5"),
    "the_start_is_the_first_input": of(add("start")),
    "effects_have_one_outcome": of(add("metadata", "'container/metadata'")),
    "outcomes_name_their_effect": of(add("tick", "'rumour'")),
    "attempts_belong_to_rollouts": of("UPDATE attempts SET position = 1 WHERE rowid = 1"),
    "attempts_are_gapless": of("UPDATE attempts SET attempt = attempt + 1 WHERE attempt = 1 AND rowid = 1"),
    "events_belong_to_inputs": of(f"UPDATE events SET position = 1000000 WHERE {row('1')}"),
    "events_are_in_the_order_of_inputs": of(
        f"UPDATE events SET position = 1, elapsed_us = 0 WHERE {row(typed('heldout.verdict'))}"
    ),
    "the_clock_never_goes_back": of(
        "UPDATE inputs SET elapsed_us = 0 WHERE position = 8",
        "UPDATE events SET elapsed_us = 0 WHERE position = 8",
    ),
    "events_have_the_time_of_their_input": of("UPDATE events SET elapsed_us = elapsed_us + 1 WHERE seq = 3"),
    "texts_have_their_digest": of("INSERT INTO blobs VALUES ('abcd', 'another text')"),
    "rows_are_those_served": of(edit(typed("dataset.rows.loaded"), "rows", "json('[\"x\"]')")),
    "heldout_rows_are_no_training_rows": of(
        "UPDATE inputs SET payload = json_insert(payload, '$[#]', "
        """json('{"id":"train:0","split":"train"}')) """
        "WHERE effect_id = 'container/rows/heldout'",
        edit(typed("dataset.rows.loaded"), "rows[#]", "'train:0'"),
    ),
    "rollouts_are_on_served_rows": of(
        edit(PARENT, "row_id", "'nowhere'"), outcomes_of_rollouts_are_told=UNTOLD
    ),
    "heldout_rows_stay_out_of_the_search": of(
        edit(PARENT, "row_id", "'heldout:100'"),
        *move(PARENT_INPUT, "'train/train:0'", "'heldout/heldout:100'"),
    ),
    "stages_are_known": of(
        edit(PARENT, "stage", "'rumour'"), *move(PARENT_INPUT, "'parent_minibatch'", "'rumour'")
    ),
    "failures_are_of_a_known_family": of(edit(typed("rollout.failed"), "kind", "'rumour'")),
    "rollouts_follow_from_outcomes": of(f"UPDATE inputs SET kind = 'rollout_failure' WHERE {PARENT_INPUT}"),
    "outcomes_of_rollouts_are_told": of(add("rollout_failure", "'rollout/9/x/y/z'")),
    "rollouts_are_told_once": of(
        f"UPDATE events SET body = (SELECT body FROM events WHERE {HELDOUT} "
        f"AND json_extract(body, '$.row_id') LIKE '%:101' ORDER BY seq DESC LIMIT 1) WHERE {row(TAIL)}",
        outcomes_of_rollouts_are_told=UNTOLD,
    ),
    "rollouts_are_of_registered_candidates": of(
        *move(PARENT_INPUT, f"(SELECT {CANDIDATE} FROM events WHERE {row(PARENT)})", f"'{NOBODY}'"),
        edit(PARENT, "candidate_id", f"'{NOBODY}'"),
    ),
    "rewards_are_finite": of(
        f"UPDATE events SET body = replace(body, '\"reward\":0.0', '\"reward\":1e999') WHERE {row(PARENT)}"
    ),
    "rewards_are_those_given": of(edit(PARENT, "reward", "0.5")),
    "usage_of_rollouts_is_that_given": of(edit(PARENT, "total_tokens", "1000000")),
    "equal_requests_have_equal_digests": of(
        "UPDATE inputs SET request_digest = 'another' WHERE effect_id LIKE 'rollout/2/parent_minibatch/%'"
    ),
    "candidates_are_registered_once": of(
        "UPDATE events SET type = 'candidate.registered', "
        f"body = (SELECT body FROM events WHERE {REGISTERED} LIMIT 1) WHERE {row(typed(SPARE))}"
    ),
    "candidates_are_their_texts": of(edit(REGISTERED, "components.answer", "'another text'")),
    "parents_are_known": of(
        edit(
            f"{REGISTERED} AND json_extract(body, '$.candidate_id') = {SOMEBODY}",
            "parent_ids",
            f"json('[\"{NOBODY}\"]')",
        ),
        edit(REJECTED, "parent_id", f"'{NOBODY}'", last=False),
    ),
    "changes_are_those_of_the_texts": of(edit(REGISTERED, "changed", "json('[]')")),
    "decisions_are_of_children": of(edit(REJECTED, "parent_id", SOMEBODY)),
    "candidates_are_decided_once": of(copy("candidate.rejected", SPARE)),
    "decisions_add_up": of(edit(REJECTED, "after", "7.0"), edit(REJECTED, "delta", "7.0")),
    "acceptances_follow_their_rule": of(
        edit(ACCEPTED, "criterion", "'primary'"),
        edit(ACCEPTED, "rule", "'strict_improvement'"),
        edit(ACCEPTED, "before", "1.0"),
        edit(ACCEPTED, "delta", "0.0"),
    ),
    "accepted_children_are_evaluated": of(retype(REJECTED, "candidate.accepted")),
    "evaluated_children_were_accepted": of(retype(ACCEPTED, "candidate.rejected")),
    "evaluations_are_means": of(edit(EVALUATED, "score", "0.875")),
    "evaluated_candidates_join_the_frontier": of(retype(JOINED, HARMLESS), edit(FINISHED, "candidates", "2")),
    "cells_that_are_claimed_are_won": of(
        edit(JOINED, "improved", "json('[\"train:0\"]')"), edit(JOINED, "tied", "json('[]')")
    ),
    "cells_that_are_won_are_claimed": of(edit(JOINED, "tied", "json('[]')")),
    "the_best_has_the_highest_mean": of(edit(MIDDLE, "best_score", "0.5")),
    "survivors_are_members": of(edit(MIDDLE, "survivors", f"json('[\"{NOBODY}\"]')")),
    "a_run_starts_once": of(retype(DEPLOYED, "gepa.run.started")),
    "iterations_are_gapless": of(
        "UPDATE events SET body = json_set(body, '$.iteration', 3) "
        "WHERE type = 'iteration.started' AND json_extract(body, '$.iteration') = 2",
        edit(FINISHED, "iterations", "3"),
    ),
    "parents_are_members": of(edit(BEGUN, "parent_id", SOMEBODY)),
    "minibatches_are_of_training_rows": of(edit(BEGUN, "rows", "json('[\"heldout:100\"]')")),
    "proposals_were_asked_for": of(add("proposal_failure", "'proposal/9'")),
    "usable_proposals_are_those_given": of(edit(typed("proposer.completed"), "total_tokens", "1000000")),
    "requests_are_kept": of("DELETE FROM blobs WHERE rowid = 1"),
    "train_rollouts_keep_to_their_limit": of(edit(EXTENDED, "limits.train_rollouts", "1")),
    "heldout_rollouts_keep_to_their_limit": of(edit(EXTENDED, "limits.heldout_rollouts", "1")),
    "total_rollouts_keep_to_their_limit": of(edit(EXTENDED, "limits.total_rollouts", "1")),
    "proposals_keep_to_their_limit": of(edit(EXTENDED, "limits.proposals", "1")),
    "iterations_keep_to_their_limit": of(edit(EXTENDED, "limits.iterations", "1")),
    "nothing_is_begun_once_money_is_spent": of(edit(EXTENDED, "limits.total_tokens", "10")),
    "an_ending_is_the_last_event": of(retype(FINISHED, "gepa.run.failed", last=False)),
    "a_search_stops_before_heldout_rows": of(retype(typed("gepa.stop"), HARMLESS)),
    "heldout_candidates_are_measured_once": of(
        f"UPDATE events SET body = json_remove(body, '$.candidates[1]') WHERE {row(typed('heldout.started'))}"
    ),
    "heldout_scores_are_means": of(edit(typed("heldout.completed"), "score", "0.125")),
    "the_deployed_candidate_is_a_member": of(edit(DEPLOYED, "candidate_id", SOMEBODY)),
    "a_finish_counts_what_there_was": of(edit(FINISHED, "rollouts", "99")),
    "a_finish_names_the_best": of(edit(FINISHED, "best_score", "0.5")),
    "a_finish_sums_up_what_was_paid": of(edit(FINISHED, "total_tokens", "1")),
    "extensions_and_cancels_are_told": of(add("cancel")),
    "checkpoints_stand_at_inputs": of(f"UPDATE checkpoints SET elapsed_us = elapsed_us + 1 {NEWEST}"),
    "checkpoints_are_in_order": of(
        f"UPDATE checkpoints SET seq = 1 {NEWEST}",
        checkpoints_stand_at_inputs="its input tells which event it must be at",
        checkpoints_say_where_a_run_ended="the event that it is at is no end",
    ),
    "checkpoints_say_where_a_run_ended": of("UPDATE checkpoints SET kind = 'interval'"),
    "checkpoints_count_what_is_on_record": of(
        f"UPDATE checkpoints SET tallies = json_set(tallies, '$.events.\"candidate.accepted\"', 99) {NEWEST}"
    ),
    "accesses_are_of_outcomes": of("UPDATE inputs SET access = 'rumour' WHERE position = 6"),
    "accesses_keep_to_the_mode": of(
        "INSERT INTO meta VALUES ('cache_mode', 'off') ON CONFLICT (key) DO UPDATE SET value = 'off'",
        "UPDATE inputs SET access = 'hit' WHERE position = 6",
    ),
}
