from __future__ import annotations

import json

import pytest

from gepa_framework.builtin.sqlite_store import SqliteStore
from gepa_framework.workspace import Journal, read_database


@pytest.fixture(scope="module")
def query(make, tmp_path_factory):
    path = tmp_path_factory.mktemp("views") / "workspace.sqlite"
    journal = Journal.create(SqliteStore(path), {})
    journal.commit([make.start(), make.outcome(superseded=(make.FAILURE,)), make.decided()])
    journal.close()
    database = read_database(path)

    def query(statement):
        cursor = database.execute(statement)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    yield query
    database.close()


def test_candidates(query, make):
    (row,) = query("SELECT * FROM candidates")
    assert (row["candidate_id"], row["source"], row["iteration"]) == (make.SEED.id, "seed", 0)
    assert json.loads(row["parent_ids"]) == []


def test_rollouts_scored_and_failed(query):
    scored, failed = query("SELECT * FROM rollouts")
    assert (scored["event"], scored["reward"], scored["cost_usd"]) == ("rollout.completed", 0.5, 0.125)
    assert (scored["kind"], scored["message"]) == (None, None)
    assert (failed["event"], failed["reward"], failed["kind"]) == ("rollout.failed", None, "timeout")
    assert (failed["row_id"], failed["stage"], failed["code"]) == ("train:1", "candidate_minibatch", "slow")


def test_acceptance_decisions(query):
    accepted, rejected = query("SELECT * FROM acceptance_decisions")
    assert (accepted["event"], accepted["delta"], accepted["rows"]) == ("candidate.accepted", 1.0, 3)
    assert accepted["reason"] is None
    assert (rejected["event"], rejected["delta"], rejected["reason"]) == (
        "candidate.rejected",
        -1.0,
        "no better",
    )


def test_evaluations(query):
    (row,) = query("SELECT * FROM evaluations")
    assert (row["candidate_id"], row["score"], row["coverage"], row["rows"]) == ("c1", 0.75, 3, 4)
    assert row["stderr"] == 0.25


def test_frontier_updates(query, make):
    (row,) = query("SELECT * FROM frontier_updates")
    assert json.loads(row["improved"]) == ["train:0"]
    assert json.loads(row["tied"]) == ["train:1"]
    assert json.loads(row["survivors"]) == ["c1", make.SEED.id]
    assert (row["best_candidate_id"], row["best_score"], row["best_stderr"]) == ("c1", 0.75, 0.25)


def test_heldout_scores(query):
    (row,) = query("SELECT * FROM heldout_scores")
    assert (row["role"], row["score"], row["stderr"], row["coverage"]) == ("best", 0.5, 0.1, 3)


def test_heldout_verdicts(make, tmp_path):
    import attrs

    from gepa_framework.types.events import HeldoutVerdict

    numbers = ("inconclusive", "c1", 4, 2, 0.25, 0.125, 0.25, 0.95, "only 2 rows differ")
    journal = Journal.create(SqliteStore(tmp_path / "workspace.sqlite"), {})
    journal.commit([attrs.evolve(make.outcome(), events=(HeldoutVerdict(*numbers),))])
    journal.close()
    database = read_database(tmp_path / "workspace.sqlite")
    (row,) = database.execute("SELECT * FROM heldout_verdicts").fetchall()
    database.close()
    assert row == (1, "heldout.verdict", *numbers)


def test_the_ledger_has_one_row_for_each_attempt(query):
    rows = query("SELECT * FROM usage_ledger ORDER BY position, superseded")
    assert {row["boundary"] for row in rows} == {"container.rollout"}
    assert [(row["kind"], row["superseded"], row["total_tokens"], row["cost_usd"]) for row in rows] == [
        ("rollout", 0, 7, 0.125),
        ("timeout", 1, 3, 0.25),
        ("rollout_failure", 0, 3, 0.25),
    ]


def test_the_ledger_keeps_unknown_apart_from_zero(make, tmp_path):
    import attrs

    from gepa_framework.types import FREE, UNKNOWN, RolloutResult
    from gepa_framework.workspace import encode_outcome

    journal = Journal.create(SqliteStore(tmp_path / "workspace.sqlite"), {})
    for name, usage in (("known", FREE), ("unknown", UNKNOWN)):
        given = encode_outcome(RolloutResult(0.0, usage=usage), name)
        journal.commit([attrs.evolve(make.outcome(), given=given, events=())])
    journal.close()
    database = read_database(tmp_path / "workspace.sqlite")
    assert database.execute("SELECT cost_usd FROM usage_ledger ORDER BY position").fetchall() == [
        (0.0,),
        (None,),
    ]
    database.close()
