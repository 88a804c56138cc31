from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from gepa_framework.builtin.sqlite_store import SqliteStore
from gepa_framework.engine import Cancel, Extend, Limits
from gepa_framework.errors import WorkspaceError
from gepa_framework.types.events import (
    HeldoutStarted,
    RunCancelled,
    RunExtended,
    RunFailed,
    RunFinished,
)
from gepa_framework.workspace import (
    Feed,
    Journal,
    Record,
    check_nothing_is_lost,
    encode_control,
    glance,
    holder_of,
    measured_candidates,
)

EXTEND = Extend(Limits(10, 4, iterations=3), ("gepa.max_generations=3",))
FINISHED = RunFinished("c", 1.0, 1, 1, 1, 0, None, None)
EXTENDED = RunExtended(EXTEND.limits.fields(), EXTEND.sets)


def record(*events, given=None):
    return Record(encode_control(given or Cancel("x")), 0, events)


@pytest.fixture
def written(journal, make):
    """Write a journal that has these events, and close it."""

    def written(*events):
        journal.commit([make.start(), *(record(event) for event in events)])
        journal.close()

    return written


def reading(path):
    return Journal.open(SqliteStore(path), readonly=True)


def glanced(path):
    with closing(reading(path)) as journal:
        return glance(journal)


def measured(path):
    with closing(reading(path)) as journal:
        return measured_candidates(journal)


def files(path):
    return sorted(each.name for each in path.parent.iterdir())


@pytest.mark.parametrize(
    ("events", "ending", "field"),
    [
        ([], "", {}),
        ([FINISHED], "gepa.run.finished", {"iterations": 1}),
        ([RunFailed("code", "why", {})], "gepa.run.failed", {"message": "why"}),
        ([RunCancelled("enough")], "gepa.run.cancelled", {"reason": "enough"}),
        ([FINISHED, EXTENDED], "", {}),
        ([FINISHED, EXTENDED, FINISHED], "gepa.run.finished", {"iterations": 1}),
    ],
)
def test_the_end_of_a_run_is_seen(written, path, events, ending, field):
    written(*events)
    before = files(path)
    seen = glanced(path)
    assert (seen.ending, seen.events) == (ending, 1 + len(events))
    assert {name: seen.ending_body[name] for name in field} == field
    assert seen.meta["run_id"] == "r1"
    assert files(path) == before


def test_extensions_are_seen_in_their_order(journal, make, path):
    other = Extend(Limits(20, 4), ("a=1", "b=2"))
    journal.commit([make.start(), record(EXTENDED, given=EXTEND), record(EXTENDED, given=other)])
    assert glanced(path).extensions == (EXTEND, other)


def test_candidates_of_all_heldout_phases_are_counted(journal, make, path):
    assert measured(path) == 0
    journal.commit([make.start(), record(HeldoutStarted(("a", "b"), 4)), record(HeldoutStarted(("c",), 4))])
    assert measured(path) == 3


def test_a_journal_that_is_written_meanwhile_is_read_as_it_was(journal, make, path):
    journal.commit([make.start()])
    with closing(reading(path)) as reader:
        assert (reader.inputs, reader.events) == (1, 1)
        journal.commit([make.outcome()])
        assert len(list(reader.load())) == len(list(reader.lines())) == 1
        assert reader.chain != journal.chain
    with closing(reading(path)) as reader:
        assert (reader.chain, reader.inputs) == (journal.chain, 2)


def test_what_is_read_cannot_be_written(journal, make, path):
    with closing(reading(path)) as reader, pytest.raises(WorkspaceError, match="transaction within"):
        reader.commit([make.start()])


def with_revision(path, revision):
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        database.commit()


def test_a_journal_of_a_newer_schema_is_refused(journal, path):
    journal.close()
    with_revision(path, "9999")
    with pytest.raises(WorkspaceError) as caught:
        reading(path)
    assert caught.value.hint == "upgrade gepa-framework"


def test_a_journal_of_an_older_schema_is_read_as_it_is(written, path):
    written(FINISHED)
    with_revision(path, "0001")
    before = path.read_bytes()
    assert glanced(path).ending == "gepa.run.finished"
    assert path.read_bytes() == before


def test_what_was_said_of_the_run_cannot_be_changed(journal, make, path):
    journal.commit([make.start()])
    journal.close()
    glanced(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE meta SET value = 'r2' WHERE key = 'run_id'")
        database.commit()
    with pytest.raises(WorkspaceError, match="recorded of the run when it began, or its first event"):
        glanced(path)


def feed(path, lines):
    path.write_text("".join(f"{json.dumps({'seq': seq, 'type': 'x' * width})}\n" for seq, width in lines))


@pytest.mark.parametrize("name", ["events.jsonl", "events.normalized.jsonl"])
@pytest.mark.parametrize("width", [1, 5000, 70_000])
def test_a_feed_that_is_ahead_of_the_journal_shows_that_rows_are_lost(tmp_path, name, width):
    check_nothing_is_lost(tmp_path, 0)
    path = tmp_path / name
    feed(path, [(seq, width) for seq in range(1, 8)])
    check_nothing_is_lost(tmp_path, 7)
    check_nothing_is_lost(tmp_path, 8)
    with pytest.raises(WorkspaceError, match=rf"{name} goes on to event 7, and the journal ends at event 6"):
        check_nothing_is_lost(tmp_path, 6)
    with path.open("a") as file:
        file.write('{"seq": 8, "type": "to')
    check_nothing_is_lost(tmp_path, 7)
    with pytest.raises(WorkspaceError, match="goes on to event 7"):
        check_nothing_is_lost(tmp_path, 6)


@pytest.mark.parametrize("content", ["", "\n", "no event\n", '{"seq": "x"}\n', "[]\n", "7\n"])
def test_a_feed_without_an_event_tells_nothing(tmp_path, content):
    (tmp_path / "events.jsonl").write_text(content)
    check_nothing_is_lost(tmp_path, 0)


def test_what_a_feed_writes_is_never_ahead(journal, make, tmp_path):
    journal.commit([make.start(), make.outcome(), make.decided()])
    Feed(tmp_path, journal).close()
    check_nothing_is_lost(tmp_path, journal.events)


def test_nobody_holds_a_run_that_was_never_locked(tmp_path):
    assert holder_of(tmp_path) == ""
