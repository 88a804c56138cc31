from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from gepa_framework import GepaRun
from gepa_framework.app import rebuild_workspace


def kept(run_dir):
    query = "SELECT number, seq, path, kind, sha256, bytes FROM artifact_refs ORDER BY number"
    with closing(sqlite3.connect(run_dir / "workspace.sqlite")) as database:
        return database.execute(query).fetchall()


def told(result):
    return {(ref["kind"], ref["sha256"], ref["bytes"]) for ref in result.artifact_refs}


@pytest.fixture
def done(project):
    return project.run().execute()


def test_the_files_of_a_run_are_told_of_as_its_manifest_has_them(project, done):
    rows = kept(project.directory())
    assert {row[3:] for row in rows} == {ref for ref in told(done) if ref[0] != "workspace"}
    assert {row[1] for row in rows} == {done.events}
    assert len({row[2] for row in rows}) == len(rows) > 5


def test_a_result_that_is_given_again_adds_nothing(project, done):
    rows = kept(project.directory())
    GepaRun.resume(project.directory()).execute()
    assert kept(project.directory()) == rows


def test_a_file_that_was_made_again_is_told_of_where_it_is_another(project, done):
    rows = kept(project.directory())
    with closing(sqlite3.connect(project.directory() / "workspace.sqlite")) as database:
        database.execute("UPDATE artifact_refs SET sha256 = 'other' WHERE path = 'frontier.json'")
        database.commit()
    rebuild_workspace(project.directory())
    *before, again = kept(project.directory())
    assert len(before) == len(rows)
    assert again[2] == "frontier.json"
    assert again[4] in {row[4] for row in rows}
