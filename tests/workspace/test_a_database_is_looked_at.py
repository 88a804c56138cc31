from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from gepa_framework.builtin.sqlite_store import SqliteStore
from gepa_framework.errors import WorkspaceError
from gepa_framework.types.events import RunFailed
from gepa_framework.workspace import (
    Journal,
    Marker,
    Record,
    check_database,
    check_end,
    encode_outcome,
    read_mark,
)
from gepa_framework.workspace.database import migrate


@pytest.fixture
def ended(journal, make, path):
    """Give the file of a journal with a checkpoint at its end."""
    failed = Record(
        encode_outcome(make.FAILURE, "rollout/3/x"), 3_000_000, (RunFailed("slow", "took 3 s", {}),)
    )
    journal.commit([make.start(), make.outcome(), make.decided(), failed])
    journal.close()
    return path


def look(path, *statements):
    with closing(sqlite3.connect(path)) as database:
        for statement in statements:
            assert database.execute(statement).rowcount > 0
        database.commit()
        return check_database(database, path)


def test_a_database_that_was_brought_here_step_by_step_is_sound(tmp_path):
    with closing(sqlite3.connect(tmp_path / "old.sqlite", isolation_level=None)) as database:
        migrate(database)
        assert check_database(database, tmp_path / "old.sqlite") == ()


def test_a_database_with_a_checkpoint_is_sound(ended):
    assert look(ended) == ()


def test_a_checkpoint_from_before_something_was_counted_is_sound(ended):
    assert look(ended, "UPDATE checkpoints SET tallies = json_remove(tallies, '$.cells')") == ()


@pytest.mark.parametrize(
    "change",
    [
        "tallies = replace(tallies, '\"cells\"', '\"cella\"')",
        "tallies = replace(tallies, ':1', ':2')",
        "tallies = tallies || ' '",
        "tallies = x'00'",
        "seq = seq - 1",
        "position = position - 1",
        "kind = 'interval'",
        "elapsed_us = elapsed_us + 1",
    ],
)
def test_a_checkpoint_that_was_changed_is_named(ended, change):
    with pytest.raises(WorkspaceError, match=r"workspace.sqlite: checkpoint \d is not what was written"):
        look(ended, f"UPDATE checkpoints SET {change}")


def test_a_mark_tells_of_another_journal(ended, make, tmp_path):
    with closing(Journal.open(SqliteStore(ended))) as journal:
        Marker(tmp_path, journal).close()
        check_end(tmp_path, journal)
        journal.commit([make.outcome("train:7")])
        check_end(tmp_path, journal)
    ended.unlink()
    with closing(Journal.create(SqliteStore(ended), {"run_id": "r2"})) as other:
        with pytest.raises(WorkspaceError, match=r"journal.mark: the journal had 4 inputs"):
            check_end(tmp_path, other)
        other.commit([make.start(), *(make.outcome(f"train:{number}") for number in range(20))])
        with pytest.raises(WorkspaceError, match=r"journal.mark: input 4 of the journal is not the one"):
            check_end(tmp_path, other)


def test_a_mark_is_moved_every_500_events_and_at_the_end(journal, make, tmp_path):
    with closing(Marker(tmp_path, journal)) as marker:
        journal.commit([make.outcome(f"train:{number}") for number in range(499)])
        marker.follow()
        assert read_mark(tmp_path).events == 0
        journal.commit([make.outcome("train:499")])
        marker.follow()
        assert read_mark(tmp_path).events == 500
        journal.commit([make.outcome("train:500")])
    assert read_mark(tmp_path).events == 501
