"""A database that nobody has open is read without a lock: that somebody begins to write is noticed."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import attrs
import pytest

from gepa_framework.app.status.source import Source, read_source
from gepa_framework.builtin.sqlite_store import SqliteStore
from gepa_framework.errors import WorkspaceError
from gepa_framework.workspace import FAILPOINTS, Journal, WorkspaceLock, read_database
from gepa_framework.workspace.still import StillConnection

LONG = "x" * 2000
COUNT = "SELECT count(*) FROM inputs"
CHANGED = "somebody began to write to .*; read it again"


@pytest.fixture
def written(journal, path, make):
    """Give a journal of many pages that nobody has open."""
    outcomes = [attrs.evolve(make.outcome(f"train:{number}"), blobs={}) for number in range(400)]
    journal.commit([make.start(), *outcomes])
    journal.close()
    return path


@pytest.fixture
def writer(written):
    """Give what opens the database for writing, as a run does that goes on."""
    opened = []

    def write(*, checkpoint=False):
        journal = Journal.open(SqliteStore(written))
        opened.append(journal)
        with closing(sqlite3.connect(written, isolation_level=None)) as connection:
            connection.execute("INSERT INTO blobs VALUES ('a', ?)", (LONG,))
            connection.execute("UPDATE inputs SET request_digest = 'other'")
            if checkpoint:
                assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0

    yield write
    for journal in opened:
        journal.close()


@pytest.fixture
def when(monkeypatch):
    """Give what does something at a place that is passed, the first time."""

    def at(place, action):
        def act(passed):
            if passed == place:
                FAILPOINTS.act = None
                action()

        monkeypatch.setattr(FAILPOINTS, "act", act)

    return at


def digests(database):
    return set(database.execute("SELECT request_digest FROM inputs WHERE position > 1").fetchall())


@pytest.mark.parametrize("checkpoint", [False, True])
def test_a_writer_that_begins_while_it_is_opened_is_seen(written, writer, when, checkpoint):
    when("amid_opening_still", lambda: writer(checkpoint=checkpoint))
    with closing(read_database(written)) as database:
        assert not isinstance(database, StillConnection)
        assert digests(database) == {("other",)}
        assert database.execute("SELECT body FROM blobs WHERE sha256 = 'a'").fetchone() == (LONG,)


def test_a_writer_that_comes_and_goes_while_it_is_opened_is_seen(written, when):
    def come_and_go():
        with closing(sqlite3.connect(written, isolation_level=None)) as connection:
            connection.execute("UPDATE inputs SET request_digest = 'other'")

    when("amid_opening_still", come_and_go)
    with closing(read_database(written)) as database:
        assert digests(database) == {("other",)}


READS = {
    "execute": lambda cursor: cursor.connection.execute(COUNT),
    "fetchone": lambda cursor: cursor.fetchone(),
    "fetchmany": lambda cursor: cursor.fetchmany(9),
    "fetchall": lambda cursor: cursor.fetchall(),
    "iteration": list,
    "backup": lambda cursor: cursor.connection.backup(sqlite3.connect(":memory:")),
}


@pytest.mark.parametrize("transaction", [False, True])
@pytest.mark.parametrize("read", READS)
def test_half_of_the_old_and_half_of_the_new_is_never_given(written, writer, read, transaction):
    with closing(read_database(written)) as database:
        if transaction:
            database.execute("BEGIN")
        cursor = database.execute("SELECT * FROM inputs")
        assert cursor.fetchone()
        writer(checkpoint=True)
        with pytest.raises(WorkspaceError, match=CHANGED):
            READS[read](cursor)


def test_what_is_committed_and_not_in_the_file_yet_is_not_left_out_by_a_later_query(written, writer):
    with closing(read_database(written)) as database:
        assert database.execute(COUNT).fetchone() == (401,)
        writer()
        with pytest.raises(WorkspaceError, match=CHANGED):
            database.execute(COUNT)


def test_a_transaction_goes_on_with_what_there_was_when_it_began(written, writer):
    with closing(read_database(written)) as database:
        database.execute("BEGIN")
        before = digests(database)
        writer()
        assert digests(database) == before != {("other",)}


def test_somebody_who_only_looks_disturbs_nobody(written):
    with closing(read_database(written)) as database:
        with closing(sqlite3.connect(f"file:{written}?mode=ro", uri=True)) as other:
            assert other.execute(COUNT).fetchone() == (401,)
        assert database.execute(COUNT).fetchone() == (401,)


def test_an_error_that_is_none_of_a_writer_is_told_as_it_is(written):
    with closing(read_database(written)) as database:
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            database.execute("SELECT 1 FROM missing")
        os.utime(written)
        with pytest.raises(WorkspaceError, match=CHANGED):
            database.execute("SELECT 1 FROM missing")


def test_nothing_is_left_beside_it(written):
    with closing(read_database(written)) as database:
        assert isinstance(database, StillConnection)
        database.execute(COUNT).fetchall()
    assert [path.name for path in written.parent.iterdir()] == [written.name]


def test_a_status_is_asked_again_where_somebody_begins_to_write(written, writer, monkeypatch):
    lock, real, opened = WorkspaceLock(written.parent), Source._opened, []

    def begin(source):
        database = real(source)
        if not opened:
            writer(checkpoint=True)
        opened.append(database)
        return database

    monkeypatch.setattr(Source, "_opened", begin)
    try:
        assert read_source(Source.of(written.parent)).inputs == 401
    finally:
        lock.release()
    assert len(opened) == 2
