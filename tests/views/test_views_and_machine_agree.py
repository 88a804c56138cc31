"""What the views say of real runs is what a machine comes to that replays them."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from gepa_framework._core import Frontier
from gepa_framework.app.chronicle import Chronicle
from gepa_framework.app.stores import read_journal
from gepa_framework.engine import Completed, ProposalFailure
from gepa_framework.types import Proposal, RolloutResult, Usage, compact_json
from gepa_framework.workspace import blob_digest

PIPELINED = """
[gepa.pipeline]
mode = "async_pipelined"
staleness_policy = "{policy}"
delta_max = 1
max_in_flight_candidates = 4
workers = {{propose = 2, rollout = 4, evaluate = 2}}
"""
SEVERAL = "proposals_per_generation = 2\nparents_per_generation = 2"
MERGING = '[merge]\nevery = 2\nmax = 3\nrows = 4\n[acceptance]\nrule = "improvement_or_equal"\n'
LONG = f'[seed_candidate]\neven = "{"séed " * 99} 0"\nodd = "{"odd " * 99} 0"\n'
LINES = '[store]\nuse = "lines"\n'
RUNS = {
    "plain": {},
    "rich": {"gepa": SEVERAL, "more": MERGING, "extend": "gepa.max_generations=18"},
    "steady": {"proposer": "views_steady", "gepa": SEVERAL},
    "guarded": {"gepa": SEVERAL, "more": PIPELINED.format(policy="guarded")},
    "reflective": {"gepa": SEVERAL, "more": PIPELINED.format(policy="reflective")},
    "sequential": {"more": '[acceptance]\nrule = "sequential"'},
    "objective": {"frontier": "objective", "more": MERGING},
    "hybrid": {"frontier": "hybrid", "more": MERGING},
    "cartesian": {"frontier": "cartesian", "more": MERGING},
    "long": {"gepa": SEVERAL, "more": LONG + MERGING},
    "limited": {"gepa": "max_train_rollouts = 120", "more": "", "extend": "gepa.max_train_rollouts=160"},
}


@pytest.fixture(scope="module", params=RUNS)
def run(request, ran):
    return ran(request.param, **RUNS[request.param])


@pytest.fixture(scope="module")
def machine(run):
    return run.replayed[0]


def total(run, column):
    """Give a sum of the ledger; nothing where part of it is not known."""
    return run.value(f"SELECT CASE WHEN count(*) = count({column}) THEN sum({column}) END FROM usage_ledger")


def test_the_ledger_is_that_of_the_machine(run, machine):
    books = machine.run.ledger
    cost = total(run, "cost_usd")
    found = Usage(*(total(run, name) for name in ("prompt_tokens", "completion_tokens", "total_tokens")))
    known = books.usage
    assert found == Usage(known.prompt_tokens, known.completion_tokens, known.total_tokens)
    assert cost == (None if known.cost_usd is None else pytest.approx(known.cost_usd))
    kinds = Counter(
        run.column("SELECT CASE superseded WHEN 1 THEN 'attempt' ELSE kind END FROM usage_ledger")
    )
    assert kinds["attempt"] == books.superseded_attempts
    assert kinds["rollout"] + kinds["rollout_failure"] == books.rollouts
    assert kinds["proposal"] + kinds["proposal_failure"] == books.proposals


def test_every_rollout_is_there_and_addressed(run, machine):
    books = machine.run.ledger
    assert run.value("SELECT count(*) FROM rollouts") == books.rollouts
    assert run.value("SELECT count(*) FROM rollouts WHERE stage = 'heldout'") == books.heldout_rollouts
    assert run.value("SELECT count(*) FROM rollouts WHERE status = 'failed'") == books.failed_rollouts
    address = "effect_id, iteration, stage, candidate_id, split, row_id, status"
    told = run.query(f"SELECT {address} FROM rollouts ORDER BY effect_id")
    for view in ("rollout_jobs", "sensor_frames"):
        assert (
            run.query(f"SELECT {address} FROM {view} WHERE status <> 'abandoned' ORDER BY effect_id") == told
        )
    assert run.value("SELECT sum(attempts = 0) FROM rollout_jobs") == run.value(
        "SELECT count(*) FROM cache_accesses WHERE action = 'hit' AND boundary = 'container.rollout'"
    )
    assert run.value("SELECT count(*) FROM rollout_events WHERE event = 'attempt_failed'") == (
        books.superseded_attempts
    )


def test_the_frontier_has_the_cells_of_the_pool(run, machine):
    pool = machine.run.pool
    frontier = pool.frontier
    held = {
        (name, pool.cell(cell), member)
        for cell, name in enumerate(pool.cells(range(frontier.cells)))
        for member in pool.names(frontier.members(cell))
    }
    rows = run.query("SELECT * FROM frontier_cells WHERE status <> 'beaten'")
    assert {(row["cell"], (row["row_id"], row["objective"]), row["candidate_id"]) for row in rows} == held
    assert len(rows) == len(held)
    holders = Counter(row["cell"] for row in rows)
    assert all((row["status"] == "shared") == (holders[row["cell"]] > 1) for row in rows)
    lost = run.query("SELECT * FROM frontier_cells WHERE status = 'beaten'")
    assert all(row["beaten_by"] and row["beaten_seq"] > row["since_seq"] for row in lost)
    current = "SELECT candidate_id FROM frontier_survivors WHERE current"
    assert run.column(current) == list(pool.names(frontier.survivors()))


def rejoined(pool):
    """Let the members join a frontier once more; give each with who held which cell before and after."""
    names = [member.candidate.id for member in pool.members]
    there, directions = pool.frontier, pool.frontier.directions
    frontier = Frontier(there.instances, there.kind, directions)
    before = {}
    for index, name in enumerate(names):
        rows = [row for row in range(there.instances) if there.score(index, row) is not None]
        values = [
            [there.objective_score(index, row, each) for each in range(len(directions))] for row in rows
        ]
        scores = [there.score(index, row) for row in rows]
        frontier.add(scores, rows, values if directions else None)
        after = {cell: {names[each] for each in frontier.members(cell)} for cell in range(frontier.cells)}
        yield name, before, after
        before = after


def compared(pool):
    """Give who met whom over how many cells, and how many of them were taken, shared and kept."""
    for name, before, after in rejoined(pool):
        for other in {each for held in before.values() for each in held}:
            cells = [cell for cell, held in before.items() if other in held]
            taken = sum(other not in after[cell] for cell in cells)
            shared = sum({name, other} <= after[cell] for cell in cells)
            yield name, other, len(cells), taken, shared, len(cells) - taken - shared


def test_comparisons_on_the_frontier_are_those_of_one_that_is_joined_anew(run, machine):
    columns = "challenger_candidate_id, incumbent_candidate_id, cells, taken, shared, kept"
    told = [tuple(row.values()) for row in run.query(f"SELECT {columns} FROM pareto_comparisons")]
    assert sorted(told) == sorted(compared(machine.run.pool))
    for row in run.query("SELECT taken, kept, result FROM pareto_comparisons"):
        better = (row["taken"] > 0, row["kept"] > 0)
        assert (
            row["result"]
            == {
                (True, False): "challenger",
                (False, True): "incumbent",
                (False, False): "tied",
                (True, True): "divided",
            }[better]
        )


def test_each_manifest_names_the_files_that_are_there(run):
    told = json.loads((run.directory / "result_manifest.json").read_text())
    newest = run.query("SELECT * FROM manifests")[-1]
    assert (newest["seq"], newest["schema"]) == (told["events"], told["schema"])
    assert (newest["path"], newest["event"]) == ("result_manifest.json", "gepa.run.finished")
    assert newest["best_candidate_id"] == run.result.best_candidate_id
    refs = {
        (Path(ref["path"]).name, ref["kind"], ref["sha256"], ref["bytes"])
        for ref in told["artifact_refs"]
        if ref["kind"] != "workspace"
    }
    query = "SELECT path, kind, sha256, bytes FROM manifest_artifacts WHERE seq = ?"
    assert {tuple(row.values()) for row in run.query(query, newest["seq"])} == refs
    assert (newest["artifacts"], newest["bytes"]) == (len(refs), sum(ref[3] for ref in refs))
    for path, _, sha256, _ in refs:
        assert hashlib.sha256((run.directory / path).read_bytes()).hexdigest() == sha256


def test_a_run_that_was_extended_has_a_manifest_for_each_of_its_ends(ran):
    run = ran("rich", **RUNS["rich"])
    ends = run.column("SELECT seq FROM run_endings ORDER BY seq")
    assert len(ends) == 2
    assert run.column("SELECT seq FROM manifests ORDER BY seq") == ends
    lock = run.query("SELECT seq, since_seq FROM manifest_artifacts WHERE kind = 'plugins_lock'")
    assert lock == [{"seq": seq, "since_seq": ends[0]} for seq in ends]


def test_a_proposer_was_called_for_each_answer_that_is_on_record(run, machine):
    with closing(read_journal(run.directory)) as journal:
        inputs = [entry.given for entry in journal.load()]
    answers = {
        given.effect_id: given.outcome
        for given in inputs
        if isinstance(given, Completed) and isinstance(given.outcome, Proposal | ProposalFailure)
    }
    rows = run.query("SELECT * FROM subagent_invocations WHERE status <> 'abandoned' ORDER BY position")
    assert [row["effect_id"] for row in rows] == list(answers)
    parents = dict(run.database.execute("SELECT effect_id, parent_id FROM proposals"))
    for row, outcome in zip(rows, answers.values(), strict=True):
        failed = isinstance(outcome, ProposalFailure)
        assert row["status"] == ("failed" if failed else "completed")
        assert row["code"] == (outcome.code if failed else None)
        assert row["model"] == getattr(outcome, "model", None)
        assert row["total_tokens"] == outcome.usage.total_tokens
        assert row["candidate_id"] == parents[row["effect_id"]]
        assert row["backend"] == RUNS[run.directory.name].get("proposer", "views_improve")
        turns = {"repair": "repair", "again": "again"}
        assert row["turn"] == turns.get(row["effect_id"].rpartition("/")[2], "first")
    slots = Counter((row["iteration"], row["slot"]) for row in rows)
    assert sum(row["number"] for row in rows) == sum(n * (n + 1) // 2 for n in slots.values())
    assert len(rows) == machine.run.ledger.proposals


def test_what_is_said_of_a_trace_is_what_the_container_said(run):
    with closing(read_journal(run.directory)) as journal:
        inputs = [entry.given for entry in journal.load()]
    outcomes = {given.effect_id: given.outcome for given in inputs if isinstance(given, Completed)}
    rows = run.query("SELECT * FROM trace_annotations")
    told = run.column("SELECT effect_id FROM sensor_frames")
    assert [row["effect_id"] for row in rows] == told
    for row in rows:
        outcome = outcomes[row["effect_id"]]
        names = ("feedback", "side_info", "rationales")
        assert row["trace_digest"] == getattr(outcome, "trace_digest", None)
        assert [row[name] for name in names] == [len(getattr(outcome, name, ())) for name in names]
        assert row["status"] == ("completed" if isinstance(outcome, RolloutResult) else "failed")
    assert {row["annotator"] for row in rows} == {"parts"}


def test_candidates_are_those_of_the_pool(run, machine):
    pool = machine.run.pool
    assert run.column("SELECT candidate_id FROM candidates") == list(pool.known)
    texts = {
        (row["candidate_id"], row["component"]): row["text"]
        for row in run.query("SELECT candidate_id, component, text FROM candidate_payloads")
    }
    assert texts == {
        (each.id, name): text for each in pool.known.values() for name, text in each.components.items()
    }
    means = {member.candidate.id: pool.mean(member) for member in pool.members}
    scored = run.query("SELECT candidate_id, train_reward FROM candidates WHERE train_reward IS NOT NULL")
    assert {row["candidate_id"]: row["train_reward"] for row in scored} == means
    measured = run.query("SELECT candidate_id, heldout_reward FROM candidates WHERE heldout_reward > -9")
    assert {row["candidate_id"]: row["heldout_reward"] for row in measured} == {
        name: score.score for name, score in machine.run.heldout_scores.items()
    }


def test_deltas_lead_from_parent_to_child(run, machine):
    known = machine.run.pool.known
    deltas = run.query("SELECT * FROM candidate_deltas")
    found = {(row["candidate_id"], row["parent_id"], row["component"]) for row in deltas}
    links = run.query("SELECT * FROM plan_links WHERE relation = 'derived_from'")
    pairs = [(known[link["source_id"]], known[link["target_id"]]) for link in links]
    assert found == {(one.id, other.id, name) for one, other in pairs for name in one.changes_from(other)}
    assert all(row["before"] == known[row["parent_id"]].components[row["component"]] for row in deltas)
    assert all(row["after"] == known[row["candidate_id"]].components[row["component"]] for row in deltas)


def test_each_answer_leads_to_the_candidate_that_it_is(run, machine):
    """Slots, repairs and second thoughts of an iteration are told apart by their order alone."""
    known = machine.run.pool.known
    with closing(read_journal(run.directory)) as journal:
        inputs = (entry.given for entry in journal.load())
        answers = {given.effect_id: given.outcome for given in inputs if isinstance(given, Completed)}
    for row in run.query("SELECT * FROM proposals WHERE result IN ('registered', 'duplicate')"):
        answer = answers[row["effect_id"]]
        assert answer.components.items() <= known[row["candidate_id"]].components.items()
        assert row["rationale"] == answer.rationale
    refused = run.query("SELECT * FROM proposals WHERE status = 'refused'")
    assert all("nobody" in answers[row["effect_id"]].components for row in refused)
    told = Counter(
        event.type for event in run.events("proposal.refused", "proposer.failed", "proposer.completed")
    )
    status = Counter(run.column("SELECT status FROM proposals"))
    assert (status["refused"], status["failed"], status["completed"]) == (
        told["proposal.refused"],
        told["proposer.failed"],
        told["proposer.completed"],
    )
    registered = run.column(
        "SELECT candidate_id FROM proposals WHERE result = 'registered' ORDER BY outcome_seq"
    )
    assert registered == run.column(
        "SELECT candidate_id FROM candidates WHERE source = 'proposer' ORDER BY seq"
    )
    assert run.value("SELECT count(position) FROM proposals WHERE status <> 'abandoned'") == (
        machine.run.ledger.proposals
    )


def test_evidence_is_what_was_asked_with(run):
    # Iterations overlap: in which order a view gives its rows is nobody's promise.
    frames = run.query("SELECT * FROM evidence_frames ORDER BY seq, number")
    started = run.events("proposer.started")
    assert len(frames) == sum(event.body.evidence for event in started)
    kinds = sum((Counter(dict(event.body.kinds)) for event in started), Counter())
    assert Counter(row["kind"] for row in frames) == kinds
    rewards = dict(
        run.database.execute("SELECT effect_id, reward FROM rollouts WHERE stage = 'parent_minibatch'")
    )
    assert all(rewards[row["rollout_id"]] == row["reward"] for row in frames)
    with closing(read_journal(run.directory)) as journal:
        texts = [journal.blob(event.body.request_digest) for event in started]
    asked = [(frame, text.isascii()) for text in texts for frame in json.loads(text)["evidence"]]
    for row, (frame, escaped) in zip(frames, asked, strict=True):
        output = frame["output"]
        plain = output is None or isinstance(output, str)
        assert row["output"] == (output if plain else compact_json(output))
        written = json.dumps(frame, ensure_ascii=escaped, separators=(",", ":"))
        assert row["bytes"] == len(written.encode())


def test_long_texts_are_named_in_rows_and_whole_in_views(ran):
    run = ran("long", **RUNS["long"])
    rows = run.query("SELECT * FROM candidate_payloads")
    assert all(row["sha256"] == blob_digest(row["text"]) for row in rows)
    assert min(row["chars"] for row in rows) > 254
    stored = run.column("SELECT body FROM events WHERE type = 'candidate.registered'")
    assert "s\u00e9ed" not in "".join(stored)
    views = ("candidates", "candidate_deltas", "proposals", "evidence_frames")
    everything = "".join(str(row) for view in views for row in run.query(f"SELECT * FROM {view}"))
    assert "séed séed" in everything
    assert "$text" not in everything


def test_long_texts_come_along_out_of_another_store(ran):
    here, there = ran("long", **RUNS["long"]), ran("far", gepa=SEVERAL, more=LONG + MERGING + LINES)
    assert not (there.directory / "workspace.sqlite").exists()
    for view in ("candidate_payloads", "candidate_deltas", "evidence_frames"):
        assert there.query(f"SELECT * FROM {view}") == here.query(f"SELECT * FROM {view}")
    assert there.column("SELECT rationale FROM proposals") == here.column("SELECT rationale FROM proposals")


def test_no_link_leads_nowhere(run):
    there = {
        "candidate": set(run.column("SELECT candidate_id FROM candidates")),
        "proposal": set(run.column("SELECT effect_id FROM proposals")),
        "rollout": set(run.column("SELECT effect_id FROM rollout_jobs")),
    }
    links = run.query("SELECT * FROM plan_links")
    assert {link["relation"] for link in links} == {"derived_from", "proposed_by", "reflected_on", "scored"}
    for link in links:
        assert link["source_id"] in there[link["source_type"]]
        assert link["target_id"] in there[link["target_type"]]


def test_scores_sum_up(run):
    rewards = Counter()
    for event in run.events("rollout.completed"):
        body = event.body
        for name, value in {"reward": body.reward, **body.objectives}.items():
            rewards[body.candidate_id, body.stage, name] += value
    vectors = run.query("SELECT * FROM score_vectors")
    found = {(row["candidate_id"], row["stage"], row["objective"]): row["mean"] * row["n"] for row in vectors}
    assert found == {key: pytest.approx(value) for key, value in rewards.items()}
    count = run.value("SELECT count(*) FROM scores")
    assert count == sum(row["n"] for row in vectors) == run.value("SELECT sum(scores) FROM objectives")
    assert count == run.value("SELECT count(value) FROM verifier_results")
    assert count == run.value("SELECT sum(results) FROM verifier_jobs")


def test_iterations_are_those_of_the_machine(run, machine):
    assert run.column("SELECT iteration FROM iterations") == list(range(1, machine.run.iteration + 1))
    assert run.value("SELECT sum(accepted) FROM iterations") == machine.run.accepted
    assert run.value("SELECT sum(joined) FROM iterations") == len(machine.run.pool.members) - 1
    assert run.value("SELECT sum(outcome = 'running') FROM iterations") == 0


def test_the_states_are_those_of_the_chronicle(run):
    chronicle = Chronicle()
    for event in run.events():
        chronicle.on_event(event)
    rows = run.query("SELECT * FROM state_transitions WHERE entity_type = 'run'")
    told = [
        {"seq": r["seq"], "from": r["from_state"], "to": r["to_state"], "trigger": r["trigger"]} for r in rows
    ]
    assert told == chronicle.state_history
    status = {row["candidate_id"]: row["status"] for row in run.query("SELECT * FROM candidates")}
    assert status == {name: entry.status for name, entry in chronicle.candidates.items()}


def test_the_cache_profile_is_the_one_beside_it(run):
    told = json.loads((run.directory / "cache_profile.json").read_text())
    rows = run.query("SELECT * FROM cache_profiles")
    assert {(row["mode"], row["namespace"]) for row in rows} == {(told["mode"], told["namespace"])}
    assert {
        row["boundary"]: {"hit": row["hits"], "miss": row["misses"], "write": row["writes"]} for row in rows
    } == {name: {"hit": 0, "miss": 0, "write": 0, **found} for name, found in told["boundaries"].items()}
    accesses = Counter(run.column("SELECT action FROM cache_accesses"))
    assert accesses == Counter(told["totals"])


def test_limits_are_counted_as_the_machine_does(run, machine):
    books, limits = machine.run.ledger, machine.run.limits.fields()
    newest = run.query("SELECT * FROM stopper_states WHERE seq = (SELECT max(seq) FROM events)")
    assert {row["name"]: row["value"] for row in newest} == limits
    used = {row["name"]: row["used"] for row in newest}
    lost = books.abandoned_rollouts
    assert used["train_rollouts"] == books.train_rollouts + lost
    assert used["heldout_rollouts"] == books.heldout_rollouts
    assert used.get("total_rollouts") in (None, books.rollouts + lost)
    assert used["iterations"] == machine.run.iteration
    assert all(row["remaining"] == row["value"] - row["used"] for row in newest)
    assert {row["stopped_by"] for row in newest} == {machine.run.stopped.kind}


def test_what_came_after_a_checkpoint_is_added_to_it(run):
    told = "SELECT name, value, used, remaining, status, stopped_by FROM stopper_states WHERE seq = ?"
    seq = run.value("SELECT max(seq) FROM events")
    with closing(sqlite3.connect(":memory:")) as copy:
        run.database.backup(copy)
        copy.execute("DELETE FROM checkpoints WHERE position = (SELECT max(position) FROM checkpoints)")
        assert set(copy.execute("SELECT kind FROM stopper_states WHERE seq = ?", (seq,))) == {("now",)}
        assert copy.execute(told, (seq,)).fetchall() == run.database.execute(told, (seq,)).fetchall()
