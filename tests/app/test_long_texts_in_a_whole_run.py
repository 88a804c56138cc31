"""A run whose candidates are long keeps each text once, and nobody but its store can tell."""

from __future__ import annotations

import json
import signal
import sqlite3
from contextlib import closing

import pytest

from gepa_framework import GepaRun
from gepa_framework.app.inspect.record import open_record
from gepa_framework.errors import InterruptedRunError, WorkspaceError
from gepa_framework.workspace import blob_digest, read_database
from gepa_framework.workspace import shelf as shelves

SEED = " ".join(["0"] * 400)
LONG = f'[seed_candidate]\nskills = "{SEED}"\n'
LINES = '[store]\nuse = "lines"\n'


@pytest.fixture
def held(project, monkeypatch):
    """Give the feed of a run whose rows hold their texts, as those of all runs did once."""
    with monkeypatch.context() as patch:
        patch.setattr(shelves, "put_aside", lambda text, _: text)
        patch.setattr(shelves, "put_back", lambda text, _: text)
        project.run("held", container="", more=LONG).execute()
    return project.normalised("held")


def texts(project):
    """Give the texts of all candidates."""
    lines = map(json.loads, project.normalised().splitlines())
    return [line["components"]["skills"] for line in lines if line["type"] == "candidate.registered"]


def lose(project, sha256):
    path = project.directory() / "workspace.sqlite"
    with closing(sqlite3.connect(path)) as database, database:
        assert database.execute("DELETE FROM blobs WHERE sha256 = ?", (sha256,)).rowcount == 1


@pytest.mark.parametrize("store", ["", LINES])
def test_the_feed_tells_all_texts_whatever_keeps_them(project, held, store):
    result = project.run(more=LONG + store).execute()
    assert project.normalised() == held
    assert result.best_candidate["skills"] in texts(project)
    proof = GepaRun.verify(project.directory())
    assert (proof.status, proof.unproved) == ("finished", ())
    assert proof.requests > 1


def test_every_text_of_a_candidate_stands_once_in_the_file(project):
    project.run(more=LONG + LINES).execute()
    journal = (project.directory() / "journal.jsonl").read_text().split("\n", 1)[1]
    assert len(texts(project)) > 2
    for text in texts(project):
        assert journal.count(f'"{text}"') == 1


def test_a_run_with_long_texts_goes_on_where_it_was_interrupted(project, at, held):
    listener = at("iteration.started", 3, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(InterruptedRunError):
        project.run(more=LONG).execute(listeners=[listener], handle_signals=True)
    GepaRun.resume(project.directory()).execute()
    assert project.normalised() == held


def test_a_text_that_was_lost_is_named_by_a_proof(project):
    project.run(more=LONG).execute()
    lose(project, sha256 := blob_digest(texts(project)[-1]))
    with pytest.raises(WorkspaceError, match=rf"there is no text {sha256}; (input|event) \d+ names it"):
        GepaRun.verify(project.directory())
    with pytest.raises(WorkspaceError, match=rf"there is no text {sha256}; (input|event) \d+ names it"):
        GepaRun.resume(project.directory(), extend=["gepa.max_generations=8"]).execute()


@pytest.mark.parametrize("store", ["", LINES])
def test_whoever_looks_at_a_run_sees_all_of_a_text(project, store):
    project.run(more=LONG + store).execute()
    with open_record(project.directory()) as record:
        told = [fact.body["components"]["skills"] for fact in record.of("candidate.registered")]
    assert told == texts(project)


def test_whoever_looks_at_a_run_is_told_which_text_was_lost(project):
    project.run(more=LONG).execute()
    lose(project, sha256 := blob_digest(texts(project)[-1]))
    with (
        pytest.raises(WorkspaceError, match=rf"there is no text {sha256}; event \d+ names it"),
        open_record(project.directory()),
    ):
        pass


def test_evidence_and_lineage_stay_open_to_queries(project):
    project.run(more=LONG).execute()
    with closing(read_database(project.directory() / "workspace.sqlite")) as database:
        query = """
            SELECT count(*), count(json_extract(frame.value, '$.inputs.topic'))
            FROM events JOIN blobs ON blobs.sha256 = json_extract(events.body, '$.request_digest'),
                 json_each(blobs.body, '$.evidence') AS frame
            WHERE events.type = 'proposer.started'"""
        frames, told = database.execute(query).fetchone()
    assert frames == told > 0
