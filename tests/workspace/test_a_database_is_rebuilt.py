from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from gepa_framework.builtin.sqlite_store import SqliteStore
from gepa_framework.workspace import Journal, read_database, rebuild_database
from gepa_framework.workspace.checkpoints import EVERY
from gepa_framework.workspace.invariants.recount import differences


@pytest.fixture(scope="module")
def written(make, tmp_path_factory):
    """Give a database with checkpoints in the middle, each where a batch had ended."""
    path = tmp_path_factory.mktemp("rebuilt") / "workspace.sqlite"
    journal = Journal.create(SqliteStore(path), {})
    journal.commit([make.start()])
    for first in range(0, 3 * EVERY, 64):
        journal.commit([make.outcome(f"train:{number}") for number in range(first, first + 64)])
    journal.close()
    return path.read_bytes()


@pytest.fixture
def database(written, path):
    path.write_bytes(written)
    return path


def checkpoints(path):
    with closing(read_database(path)) as database:
        return database.execute("SELECT * FROM checkpoints ORDER BY position").fetchall()


def change(path, statement):
    with closing(sqlite3.connect(path)) as database:
        assert database.execute(statement).rowcount
        database.commit()


def test_checkpoints_stay_where_batches_ended(database, written):
    kept = checkpoints(database)
    assert len(kept) == 3
    assert all(position % 64 == 1 for position, *_ in kept)
    assert rebuild_database(database) == ()
    assert database.read_bytes() == written


def test_a_checkpoint_in_the_middle_is_counted_again(database):
    kept = checkpoints(database)
    change(database, "UPDATE checkpoints SET tallies = '{}', elapsed_us = 1, kind = 'end'")
    assert rebuild_database(database) == ("checkpoints",)
    assert checkpoints(database) == kept


def test_lost_checkpoints_come_back_at_their_distance(database):
    change(database, "DELETE FROM checkpoints")
    assert rebuild_database(database) == ("checkpoints",)
    assert [seq for _, seq, *_ in checkpoints(database)] == [EVERY, 2 * EVERY, 3 * EVERY]
    assert rebuild_database(database) == ()


@pytest.mark.parametrize("change_by", ["+ 1", "- 1"])
def test_a_count_that_is_off_is_told(database, change_by):
    counted = "json_extract(tallies, '$.events.\"rollout.completed\"')"
    change(
        database,
        "UPDATE checkpoints SET tallies = json_set(tallies, '$.events.\"rollout.completed\"', "
        f"{counted} {change_by}) WHERE position = (SELECT max(position) FROM checkpoints)",
    )
    with closing(read_database(database)) as opened:
        *fine, wrong = [difference for _, difference in differences(opened)]
    assert fine == ["", ""]
    assert "rollout.completed" in wrong


def test_a_count_that_is_missing_is_told(database):
    change(
        database,
        "UPDATE checkpoints SET tallies = json_remove(tallies, '$.stages.\"seed_full_train.completed\"')",
    )
    with closing(read_database(database)) as opened:
        assert all("seed_full_train" in difference for _, difference in differences(opened))
