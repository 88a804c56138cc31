from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import attrs
import pytest

from gepa_framework.builtin.sqlite_store import SqliteStore
from gepa_framework.engine import Abandoned, ProposalFailure
from gepa_framework.errors import WorkspaceError
from gepa_framework.types import COLUMNS, Proposal, RolloutResult, Usage
from gepa_framework.types.events import ProposerStarted, RunFinished, WorkAbandoned
from gepa_framework.workspace import (
    START,
    Journal,
    Record,
    Tally,
    encode_control,
    encode_outcome,
    read_database,
    read_tally,
)
from gepa_framework.workspace.checkpoints import EVERY
from gepa_framework.workspace.tally import MAPS

FINISHED = RunFinished("c1", 0.5, 1, 1, 1, 0, None, None)


def checkpoints(path):
    with closing(read_database(path)) as database:
        rows = database.execute("SELECT position, seq, kind, elapsed_us, tallies FROM checkpoints")
        return [(*row[:4], json.loads(row[4])) for row in rows]


def counted(path):
    """Count all rows, whatever the checkpoints say."""
    tally = Tally()
    with closing(read_database(path)) as database:
        tally.rows(
            *(
                database.execute(f"SELECT {', '.join(COLUMNS[name])} FROM {name}").fetchall()
                for name in COLUMNS
            )
        )
    return tally.counts()


def many(make, count, first=0):
    return [make.outcome(f"train:{number}") for number in range(first, first + count)]


def everything(make):
    """Give records of everything that is counted."""
    explained = RolloutResult(0.5, rationales={"brevity": "short"}, usage=Usage(None, 1, 2, 0.5))
    proposal = Proposal({"prompt": "x"}, usage=Usage(5, 5, 10, 0.25))
    asked = ProposerStarted(1, "c0", ("prompt",), 3, "ab" * 32, {"loss": 2, "win": 1})
    return [
        make.start(),
        attrs.evolve(make.outcome(superseded=(make.FAILURE, make.FAILURE)), access="write"),
        make.decided(),
        Record(encode_outcome(explained, "rollout/1/x"), 1, (make.completed(),), access="hit"),
        Record(encode_outcome(proposal, "proposal/1"), 1, (asked,), access="miss"),
        Record(encode_outcome(ProposalFailure("x", "y"), "proposal/2"), 1, (WorkAbandoned(3, 0),)),
        Record(encode_control(Abandoned(("a", "b"))), 1, (WorkAbandoned(1, 1),)),
    ]


def test_a_checkpoint_is_due_after_so_many_events(journal, path, make):
    journal.commit([make.start()])
    journal.commit(many(make, EVERY - 2))
    assert checkpoints(path) == []
    journal.commit(many(make, 1, EVERY))
    journal.commit(many(make, 3, EVERY + 1))
    ((position, seq, kind, elapsed_us, tallies),) = checkpoints(path)
    assert (position, seq, kind, elapsed_us) == (EVERY, EVERY, "interval", 1_500_000)
    assert tallies["events"] == {"candidate.registered": 1, "rollout.completed": EVERY - 1}


def test_a_checkpoint_closes_a_run(journal, path, make):
    journal.commit([*everything(make), Record(START, 2, (FINISHED,))])
    ((*_, kind, _, tallies),) = checkpoints(path)
    assert kind == "end"
    assert tallies == counted(path)


def test_what_is_counted_is_what_was_there(journal, path, make):
    journal.commit(everything(make))
    assert counted(path) == {
        "inputs": {
            "abandoned": 1,
            "proposal": 1,
            "proposal_failure": 1,
            "rollout": 2,
            "rollout_failure": 1,
            "start": 1,
        },
        "accesses": {"proposal.miss": 1, "rollout.hit": 1, "rollout.write": 1},
        "attempts": {"timeout": 2},
        "usage": {
            "attempt.completion_tokens": 4,
            "attempt.cost": 500_000_000,
            "attempt.prompt_tokens": 2,
            "attempt.total_tokens": 6,
            "proposal.completion_tokens": 5,
            "proposal.cost": 250_000_000,
            "proposal.prompt_tokens": 5,
            "proposal.total_tokens": 10,
            **{f"proposal_failure.unknown_{what}": 1 for what in ("completion_tokens", "cost")},
            **{f"proposal_failure.unknown_{what}": 1 for what in ("prompt_tokens", "total_tokens")},
            "rollout.completion_tokens": 5,
            "rollout.cost": 625_000_000,
            "rollout.prompt_tokens": 3,
            "rollout.total_tokens": 9,
            "rollout.unknown_prompt_tokens": 1,
            "rollout_failure.completion_tokens": 2,
            "rollout_failure.cost": 250_000_000,
            "rollout_failure.prompt_tokens": 1,
            "rollout_failure.total_tokens": 3,
        },
        "events": {
            "candidate.accepted": 1,
            "candidate.evaluated": 1,
            "candidate.registered": 1,
            "candidate.rejected": 1,
            "frontier.updated": 1,
            "heldout.completed": 1,
            "proposer.started": 1,
            "rollout.completed": 2,
            "rollout.failed": 1,
            "work.abandoned": 2,
        },
        "stages": {"candidate_minibatch.failed": 1, "seed_full_train.completed": 2},
        "failures": {"timeout": 1},
        "objectives": {"brevity": 2, "reward": 2},
        "verifications": {"brevity": 1},
        "frames": {"loss": 2, "win": 1},
        "sources": {"seed": 1},
        "cells": {"improved": 1, "tied": 1},
        "abandoned": {"proposals": 1, "rollouts": 4},
    }


def test_a_reader_counts_on_from_the_newest_checkpoint(journal, path, make):
    journal.commit([make.start(), *many(make, EVERY)])
    with closing(sqlite3.connect(path)) as database:
        # Told apart from what the rows say, so that it shows whether they were gone through again.
        database.execute('UPDATE checkpoints SET tallies = \'{"stages":{"seed_full_train.completed":7}}\'')
        database.commit()
    journal.commit(many(make, 2, EVERY))
    with closing(read_database(path)) as database:
        assert read_tally(database).counts()["stages"] == {"seed_full_train.completed": 9}


def test_a_commit_that_fails_is_not_counted(journal, path, make):
    failed = make.outcome("train:x", superseded=(make.FAILURE,))
    journal.commit([make.start(), failed])
    with pytest.raises(WorkspaceError):
        journal.commit([*many(make, EVERY), failed])
    journal.commit(many(make, EVERY))
    ((*_, tallies),) = checkpoints(path)
    assert tallies == counted(path)


def test_counting_goes_on_where_a_run_is_resumed(journal, path, make):
    journal.commit([*everything(make), *many(make, EVERY)])
    journal.commit(many(make, 5, EVERY))
    journal.close()
    again = Journal.open(SqliteStore(path))
    again.commit([Record(START, 2, (FINISHED,))])
    again.close()
    *_, (*_, tallies) = checkpoints(path)
    assert tallies == counted(path)


def test_every_map_of_a_tally_is_documented():
    page = (Path(__file__).parents[2] / "docs" / "reference" / "workspace.md").read_text(encoding="utf-8")
    missing = [name for name in MAPS if f"\n* `{name}`: " not in page]
    assert missing == []
