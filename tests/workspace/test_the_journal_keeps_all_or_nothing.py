from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import attrs
import pytest

from gepa_framework.builtin.sqlite_store import SqliteStore
from gepa_framework.engine import Cancel, Completed
from gepa_framework.errors import InvariantError, WorkspaceError
from gepa_framework.types import RolloutResult, body_fields, compact_json
from gepa_framework.workspace import (
    Journal,
    Record,
    blob_digest,
    encode_control,
    encode_outcome,
    event_text,
    read_database,
)


def dump(path):
    database = read_database(path)
    try:
        return [
            database.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
            for table in ("inputs", "attempts", "events")
        ]
    finally:
        database.close()


def test_what_was_committed_is_loaded_in_its_order(journal, make):
    records = [make.start(), make.outcome("train:0"), make.outcome("train:1"), make.decided()]
    for record in records:
        journal.commit([record])
    stored = list(journal.load())
    assert stored[0].given is None
    assert stored[1].given == Completed(
        records[1].given.effect_id, RolloutResult(0.5, usage=stored[1].given.outcome.usage)
    )
    assert [entry.elapsed_us for entry in stored] == [0, 1_500_000, 1_500_000, 2_000_000]
    for entry, record in zip(stored, records, strict=True):
        assert list(entry.events) == [(body.type, event_text(body)) for body in record.events]


def test_an_input_without_events_is_kept_too(journal):
    journal.commit([Record(encode_control(Cancel("no")), 5, ())])
    (stored,) = journal.load()
    assert (stored.given, stored.elapsed_us, stored.events) == (Cancel("no"), 5, ())


def test_a_commit_gives_the_events_as_they_are_on_disk(journal, make):
    given = journal.commit([make.start(), make.decided()])
    assert given == list(journal.lines())
    assert [line.seq for line in given] == list(range(1, 8))
    assert given[0].body == compact_json(body_fields(make.registered()))


def test_how_records_are_grouped_does_not_show(journal, path, make, tmp_path):
    records = [make.start(), make.outcome("a"), make.outcome("b"), make.decided()]
    journal.commit(records)
    other = Journal.create(SqliteStore(tmp_path / "other.sqlite"), {"run_id": "r1", "config_text": "[run]"})
    for record in records:
        other.commit([record])
    other.close()
    assert dump(tmp_path / "other.sqlite") == dump(path)


def test_what_is_committed_is_there_after_opening_again(journal, path, make):
    journal.commit([make.start()])
    journal.close()
    again = Journal.open(SqliteStore(path))
    again.commit([make.outcome()])
    assert len(list(again.load())) == 2
    assert [line.seq for line in again.lines()] == [1, 2]
    again.close()


def test_a_reader_sees_commits_while_the_writer_is_open(journal, path, make):
    journal.commit([make.start()])
    assert len(dump(path)[0]) == 1


def test_a_reader_cannot_write(journal, path):
    database = read_database(path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        database.execute("DELETE FROM meta")
    database.close()


def test_any_thread_may_commit(journal, make):
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(journal.commit, [make.start()]).result()
    assert len(list(journal.load())) == 1


def test_an_attempt_is_entered_once(journal, make):
    failed = make.outcome("train:0", superseded=(make.FAILURE,))
    journal.commit([make.start(), failed])
    with pytest.raises(WorkspaceError, match="UNIQUE"):
        journal.commit([failed])


def test_a_commit_that_fails_leaves_nothing_and_the_next_one_works(journal, path, make, tmp_path):
    failed = make.outcome("train:0", superseded=(make.FAILURE,))
    journal.commit([make.start(), failed])
    before = dump(path)
    with pytest.raises(WorkspaceError):
        journal.commit([make.outcome("train:1"), failed])
    assert dump(path) == before
    journal.commit([make.outcome("train:1")])
    assert len(list(journal.load())) == 3
    undisturbed = Journal.create(
        SqliteStore(tmp_path / "other.sqlite"), {"run_id": "r1", "config_text": "[run]"}
    )
    undisturbed.commit([make.start(), failed, make.outcome("train:1")])
    undisturbed.close()
    assert dump(path) == dump(tmp_path / "other.sqlite")


def test_an_event_that_is_no_json_leaves_nothing_and_the_next_one_works(journal, make):
    bad = attrs.evolve(make.start(), events=(attrs.evolve(make.completed(), objectives={"x": object()}),))
    with pytest.raises(TypeError):
        journal.commit([make.start(), bad])
    journal.commit([make.start()])
    assert len(list(journal.load())) == 1


def test_superseded_attempts_are_kept_with_what_they_consumed(journal, path, make):
    later = attrs.evolve(make.FAILURE, code="slower", http_status=None)
    journal.commit([make.start(), make.outcome(superseded=(make.FAILURE, later))])
    _, attempts, _ = dump(path)
    effect = f"rollout/0/seed_full_train/{make.SEED.id}/train:0"
    assert attempts == [
        (effect, 1, 2, "timeout", "slow", "took 3 s", 504, 1, 2, 3, "0.25"),
        (effect, 2, 2, "timeout", "slower", "took 3 s", None, 1, 2, 3, "0.25"),
    ]


def test_what_was_said_of_the_run_is_kept(journal):
    assert dict(journal.meta()) == {"run_id": "r1", "config_text": "[run]", "texts": "once"}


def test_a_lone_surrogate_is_no_obstacle(journal, make):
    record = Record(encode_outcome(RolloutResult(0.5, output="\ud800"), "odd"), 1, (make.registered(),))
    journal.commit([record])
    (stored,) = journal.load()
    assert stored.given.outcome.output == "\ud800"
    assert "\\ud800" in stored.events[0][1]


def test_commits_are_durable_and_follow_a_write_ahead_log(journal):
    assert journal._store._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert journal._store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def with_texts(record, *texts):
    return attrs.evolve(record, blobs={blob_digest(text): text for text in texts})


def test_texts_are_kept_once_by_their_digest(journal, path, make):
    journal.commit([with_texts(make.start(), "one", "two"), with_texts(make.outcome("a"), "two", "")])
    journal.commit([with_texts(make.outcome("b"), "one", "drei \u20ac")])
    for text in ("one", "two", "", "drei \u20ac"):
        assert journal.blob(blob_digest(text)) == text
    with closing(read_database(path)) as database:
        assert database.execute("SELECT count(*) FROM blobs").fetchone() == (4,)


def test_a_text_that_is_not_there_or_was_changed_is_refused(journal, path, make):
    journal.commit([with_texts(make.start(), "one")])
    with pytest.raises(WorkspaceError, match=r"workspace\.sqlite: there is no text abc"):
        journal.blob("abc")
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE blobs SET body = 'own'")
        database.commit()
    with pytest.raises(WorkspaceError, match=r"text [0-9a-f]{64} is not what was written"):
        journal.blob(blob_digest("one"))


@pytest.mark.parametrize("blobs", [{"abc": "one"}, {"abc": "\ud800"}])
def test_a_text_under_a_wrong_digest_leaves_nothing_and_the_next_commit_works(journal, make, blobs):
    with pytest.raises(InvariantError):
        journal.commit([make.start(), attrs.evolve(make.outcome(), blobs=blobs)])
    journal.commit([make.start()])
    assert len(list(journal.load())) == 1


def test_texts_and_rows_are_of_one_transaction(journal, path, make):
    failed = make.outcome("a", superseded=(make.FAILURE,))
    journal.commit([make.start(), failed])
    before = dump(path)
    with pytest.raises(WorkspaceError, match="UNIQUE"):
        journal.commit([with_texts(failed, "lost")])
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM blobs").fetchone() == (0,)
        refusal = "BEGIN SELECT RAISE(ABORT, 'no texts today'); END"
        database.execute(f"CREATE TRIGGER refuse BEFORE INSERT ON blobs {refusal}")
    with pytest.raises(WorkspaceError, match="no texts today"):
        journal.commit([with_texts(make.outcome("b"), "lost")])
    assert dump(path) == before


def test_a_journal_opened_for_reading_cannot_be_written(journal, path, make):
    journal.commit([make.start()])
    reader = Journal.open(SqliteStore(path), readonly=True)
    journal.commit([make.outcome()])
    assert len(list(reader.load())) == 1
    with pytest.raises(WorkspaceError, match="transaction within"):
        reader.commit([make.outcome("b")])
    reader.close()


def test_a_store_that_is_closed_says_so(path):
    store = SqliteStore(path)
    store.create({})
    store.close()
    store.close()
    with pytest.raises(WorkspaceError, match="is not open"):
        store.meta()
