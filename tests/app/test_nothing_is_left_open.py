from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gepa_framework import GepaRun
from gepa_framework.errors import WorkspaceError


def damage(run_dir):
    with sqlite3.connect(run_dir / "workspace.sqlite") as database:
        database.execute("UPDATE inputs SET payload = '{}' WHERE position = 9")
    database.close()


def cut_out_the_tables(run_dir):
    with sqlite3.connect(run_dir / "workspace.sqlite") as database:
        database.execute("DROP TABLE inputs")
    database.close()


def block_the_feed(run_dir):
    (run_dir / "events.normalized.jsonl").unlink()
    (run_dir / "events.normalized.jsonl").mkdir()


def block_the_registry(run_dir):
    (run_dir.parent / "run_registry.jsonl").unlink()
    (run_dir.parent / "run_registry.jsonl").mkdir()


def open_files():
    return {path.name for path in Path("/proc/self/fd").iterdir()}


@pytest.mark.parametrize("break_it", [damage, cut_out_the_tables, block_the_feed, block_the_registry])
def test_a_run_that_cannot_be_taken_up_again_leaves_no_file_open(project, break_it):
    project.run().execute()
    break_it(project.directory())
    before = open_files()
    # What is caught keeps all frames, so that nothing is closed by chance.
    with pytest.raises(WorkspaceError) as caught:
        GepaRun.resume(project.directory()).execute()
    assert open_files() == before, caught.value
