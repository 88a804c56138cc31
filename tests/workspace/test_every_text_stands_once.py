from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import attrs
import pytest

from gepa_framework.builtin.sqlite_store import SqliteStore
from gepa_framework.engine import Completed
from gepa_framework.errors import WorkspaceError
from gepa_framework.types import (
    Candidate,
    ComponentSpec,
    Edit,
    Program,
    Proposal,
    TaskRow,
    Usage,
    canonical_json,
)
from gepa_framework.types.events import CandidateRegistered, ProposerStarted
from gepa_framework.workspace import (
    Journal,
    Record,
    Tally,
    blob_digest,
    encode_outcome,
    event_text,
    read_database,
    read_tally,
    readable,
)

LONG = {name: f"{name}: " + "\u20ac long 'text' " * 40 for name in ("planner", "solver", "task", "why")}
PARENT = Candidate.of({"planner": LONG["planner"], "short": "brief"})
CHILD = Candidate.of({"planner": LONG["solver"], "short": "brief"})


def request(**more):
    """Give a request as it is kept: the parent and the task stand in it, and its digest."""
    asked = {"parent": dict(PARENT.components), "task": {"about": LONG["task"]}, **more}
    text = canonical_json(asked)
    return blob_digest(text), text


def records(**more):
    sha256, text = request(**more)
    program = Program("p", "t", (ComponentSpec("planner"),), ("planner",), {"planner": LONG["planner"]})
    rows = (TaskRow("a", "train", {"question": LONG["task"]}),)
    edits = {"planner": [Edit(LONG["planner"], LONG["solver"])]}
    proposal = Proposal({"planner": LONG["solver"]}, LONG["why"], edits=edits, usage=Usage(1, 2, 3, 0.5))
    seed = CandidateRegistered(PARENT.id, (), 0, "seed", PARENT.components, (), "")
    child = CandidateRegistered(
        CHILD.id, (PARENT.id,), 1, "proposer", CHILD.components, ("planner",), LONG["why"]
    )
    return [
        Record(encode_outcome(program, "program"), 1, ()),
        Record(encode_outcome(rows, "rows"), 2, (seed,), blobs={sha256: text}),
        Record(encode_outcome(proposal, "proposal/1"), 3, (child,), outcome=proposal),
    ]


@pytest.fixture
def filled(journal):
    for record in records():
        journal.commit([record])
    return journal


def whole(path, *names):
    """Give all that is on record in one text, such as it is."""
    with closing(read_database(path)) as database:
        tables = names or ("meta", "inputs", "attempts", "events", "blobs", "checkpoints")
        rows = (row for table in tables for row in database.execute(f"SELECT * FROM {table}"))
        return "".join(str(cell) for row in rows for cell in row)


def change(path, statement, *values):
    with closing(sqlite3.connect(path)) as database, database:
        assert database.execute(statement, values).rowcount > 0


def test_every_long_text_stands_once_in_the_database(filled, path):
    for text in LONG.values():
        assert whole(path).count(text[:12]) == whole(path, "blobs").count(text[:12]) == 1


def test_what_is_read_is_what_was_given(filled):
    stored, given = list(filled.load()), records()
    assert [entry.given.effect_id for entry in stored] == ["program", "rows", "proposal/1"]
    assert stored[2].given == Completed("proposal/1", given[2].outcome)
    assert stored[0].given.outcome.seed == {"planner": LONG["planner"]}
    assert stored[1].given.outcome[0].data == {"question": LONG["task"]}
    bodies = [event_text(body) for record in given for body in record.events]
    assert [body for entry in stored for _, body in entry.events] == bodies
    assert [line.body for line in filled.lines()] == bodies
    assert filled.last_event() == ("candidate.registered", bodies[-1])
    sha256, text = request()
    assert filled.blob(sha256) == text


def test_a_commit_gives_its_events_whole(journal):
    (line,) = journal.commit(records()[2:])
    assert LONG["solver"] in json.loads(line.body)["components"].values()


def test_requests_stay_json_that_a_query_reads(filled, path):
    sha256, _ = request()
    with closing(read_database(path)) as database:
        query = "SELECT json_extract(body, '$.parent.short'), body FROM blobs WHERE sha256 = ?"
        ((short, body),) = database.execute(query, (sha256,)).fetchall()
    assert short == "brief"
    assert json.loads(body)["task"] == {"about": {"$text": blob_digest(LONG["task"])}}


@pytest.mark.parametrize("text", ["plain", '"' + "a" * 999 + ',"$text":"b"', '{"a" : "' + "b" * 999 + '"}'])
def test_a_kept_text_need_not_be_json(journal, text):
    (record, *_) = records()
    journal.commit([attrs.evolve(record, blobs={blob_digest(text): text})])
    assert journal.blob(blob_digest(text)) == text


def test_a_lone_surrogate_in_a_request_or_a_row_is_no_obstacle(journal):
    odd = {"odd": "\ud800" + LONG["why"], "plain": "plain " * 99}
    text = json.dumps(odd, sort_keys=True, separators=(",", ":"))
    proposal = Proposal(odd, "\ud800 " + LONG["why"])
    event = CandidateRegistered("c", (), 1, "proposer", odd, ("odd",), "")
    given = Record(encode_outcome(proposal, "p"), 1, (event,), blobs={blob_digest(text): text})
    journal.commit([given])
    assert journal.blob(blob_digest(text)) == text
    (stored,) = journal.load()
    assert stored.given.outcome.components == odd
    assert stored.events == (("candidate.registered", event_text(event)),)


def test_what_looks_like_a_reference_survives(journal):
    reference = {"$text": "ab" * 32}
    sha256, text = request(like=reference)
    components = {"$text": "ab" * 32, "other": '{"$text":"' + "ab" * 32 + '"}'}
    proposal = Proposal(components, metadata={"like": reference, "more": {"$$text": 1}})
    event = CandidateRegistered("c", (), 1, "proposer", components, ("$text",), "")
    journal.commit([Record(encode_outcome(proposal, "p"), 1, (event,), blobs={sha256: text})])
    (stored,) = journal.load()
    assert stored.given.outcome == proposal
    assert stored.events == (("candidate.registered", event_text(event)),)
    assert journal.blob(sha256) == text


def test_a_text_may_be_a_request_that_is_kept(journal):
    sha256, text = request()
    journal.commit([Record(encode_outcome(Proposal({"a": "b"}), "p"), 1, (), blobs={sha256: text})])
    journal.commit([Record(encode_outcome(Proposal({"prompt": text}), "q"), 1, ())])
    *_, stored = journal.load()
    assert stored.given.outcome.components == {"prompt": text}


@pytest.mark.parametrize("name", list(LONG))
def test_a_text_that_was_changed_or_lost_is_named_with_what_names_it(filled, path, name):
    sha256 = blob_digest(LONG[name])
    change(path, "UPDATE blobs SET body = body || ' ' WHERE sha256 = ?", sha256)
    with pytest.raises(WorkspaceError, match=rf"text {sha256} is not what was written; \w+ \d names it"):
        list(filled.load())
    change(path, "DELETE FROM blobs WHERE sha256 = ?", sha256)
    with pytest.raises(WorkspaceError, match=rf"there is no text {sha256}; \w+ \d names it") as caught:
        list(filled.load())
    assert "backup" in caught.value.hint


def test_a_request_whose_text_was_lost_or_exchanged_is_named(filled, path):
    (sha256, _), lost = request(), blob_digest(LONG["task"])
    other = blob_digest(LONG["why"])
    change(path, "UPDATE blobs SET body = replace(body, ?, ?) WHERE sha256 = ?", lost, other, sha256)
    with pytest.raises(WorkspaceError, match=f"text {sha256} is not what was written"):
        filled.blob(sha256)
    change(path, "UPDATE blobs SET body = replace(body, ?, ?) WHERE sha256 = ?", other, lost, sha256)
    change(path, "DELETE FROM blobs WHERE sha256 = ?", lost)
    with pytest.raises(WorkspaceError, match=f"there is no text {lost}; text {sha256} names it"):
        filled.blob(sha256)


def test_texts_that_name_one_another_in_a_circle_are_damaged(filled, path):
    one, other = blob_digest(LONG["task"]), blob_digest(LONG["why"])
    for sha256, named in ((one, other), (other, one)):
        change(path, "UPDATE blobs SET body = ? WHERE sha256 = ?", f'{{"$text":"{named}"}}', sha256)
    with pytest.raises(WorkspaceError, match=f"text {one} is not what was written"):
        filled.blob(one)


def test_a_reference_that_was_changed_is_found(filled, path):
    one, other = blob_digest(LONG["solver"]), blob_digest(LONG["why"])
    change(path, "UPDATE events SET body = replace(body, ?, ?)", one, other)
    with pytest.raises(WorkspaceError, match=r"event 2 is not what was written"):
        list(filled.load())


class Noting(SqliteStore):
    """Notes the texts that it is given, and may be out of order."""

    def __init__(self, path, *, keeps_texts=True):
        super().__init__(path)
        self.keeps_texts = keeps_texts
        self.given = []
        self.broken = False

    def append(self, rows):
        if self.broken:
            raise WorkspaceError("out of order")
        self.given += rows.blobs
        super().append(rows)


def test_a_text_is_given_to_the_store_once(path):
    store = Noting(path)
    journal = Journal.create(store, {})
    for number in range(3):
        for record in records(number=number):
            renamed = attrs.evolve(record.given, effect_id=f"{number}/{record.given.effect_id}")
            journal.commit([attrs.evolve(record, given=renamed)])
    journal.close()
    assert len(store.given) == len(set(store.given)) == len(LONG) + 3


def test_texts_of_a_commit_that_failed_are_given_again(path):
    store = Noting(path)
    journal = Journal.create(store, {})
    store.broken = True
    with pytest.raises(WorkspaceError, match="out of order"):
        journal.commit(records())
    store.broken = False
    first, *_ = records()
    journal.commit([first])
    assert store.given == [blob_digest(LONG["planner"])]
    journal.commit(records())
    assert len(list(journal.load())) == 4
    journal.close()


def test_a_store_without_texts_is_given_whole_rows(path):
    journal = Journal.create(Noting(path, keeps_texts=False), {"run_id": "r1"})
    journal.commit([attrs.evolve(record, blobs={}) for record in records()])
    assert dict(journal.meta()) == {"run_id": "r1"}
    assert whole(path, "blobs") == ""
    assert whole(path).count(LONG["solver"]) > 1
    assert len(list(journal.load())) == 3
    journal.close()


def test_a_run_that_was_begun_before_is_read_and_goes_on_whole(path):
    """What looks like a reference in its rows is none."""
    store = SqliteStore(path)
    store.create({"run_id": "r1"})
    journal = Journal(store)
    like = Proposal({"$text": "ab" * 32}, metadata={"a": {"$text": "cd" * 32}})
    sha256, text = request()
    journal.commit(records())
    journal.commit([Record(encode_outcome(like, "p"), 4, ())])
    journal.close()
    assert f'"$text":"{"ab" * 32}"' in whole(path, "inputs")
    again = Journal.open(SqliteStore(path))
    *_, stored = again.load()
    assert stored.given.outcome == like
    again.commit([Record(encode_outcome(Proposal({"a": LONG["why"]}), "q"), 5, ())])
    assert LONG["why"] in whole(path, "inputs")
    assert again.blob(sha256) == text
    assert whole(path, "blobs") == sha256 + text
    again.close()


def test_a_copy_for_readers_has_the_texts_that_only_requests_name(journal, path):
    only = "nowhere else " * 40
    sha256, text = request(only=only)
    started = ProposerStarted(1, PARENT.id, ("planner",), 0, sha256)
    first, *_ = records()
    journal.commit([attrs.evolve(first, events=(started,), blobs={sha256: text})])
    store = SqliteStore(path)
    store.open(readonly=True)
    with closing(store), closing(readable(path.parent, store)) as copy:
        assert sorted(copy.execute("SELECT * FROM blobs")) == sorted(
            (each, store.blob(each)) for each in map(blob_digest, (LONG["planner"], LONG["task"], only, text))
        )


def test_counts_do_not_depend_on_how_texts_are_kept(filled, path):
    tally = Tally()
    for record in records():
        tally.input(record.given.kind, None, record.outcome)
        for body in record.events:
            tally.event(body)
    with closing(read_database(path)) as database:
        assert read_tally(database).counts() == tally.counts()


def test_views_give_long_texts_whole(filled, path):
    with closing(read_database(path)) as database:
        rows = database.execute("SELECT rationale FROM candidates ORDER BY seq").fetchall()
    assert rows == [("",), (LONG["why"],)]
