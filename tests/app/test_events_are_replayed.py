from __future__ import annotations

import shutil

import pytest

from gepa_framework.app import files, replay_events
from gepa_framework.errors import EventFeedError, WorkspaceError
from gepa_framework.workspace import WorkspaceLock

BOTH = (files.EVENTS, files.NORMALISED)


@pytest.fixture
def finished(project):
    return project.run().execute()


def edit(path, old, new):
    text = path.read_bytes()
    assert old in text
    path.write_bytes(text.replace(old, new, 1))


def test_the_feeds_of_a_run_are_held_against_its_journal(finished):
    heard = []
    replayed = replay_events(finished.run_dir, heard.append)
    assert (replayed.events, replayed.ending) == (finished.events, "gepa.run.finished")
    assert [event.seq for event in heard] == list(range(1, finished.events + 1))
    assert (replayed.proved, replayed.unproved) == (BOTH, ())
    assert replayed.to_dict()["feed"] == str(finished.run_dir / files.EVENTS)


@pytest.mark.parametrize("name", BOTH)
def test_a_feed_that_is_named_is_held_against_nothing(finished, name, tmp_path):
    shutil.copy(finished.run_dir / name, tmp_path / "copy.jsonl")
    replayed = replay_events(tmp_path / "copy.jsonl")
    assert (replayed.events, replayed.proved) == (finished.events, ())


@pytest.mark.parametrize("name", BOTH)
def test_a_value_that_is_not_on_record_is_found(finished, name):
    edit(finished.run_dir / name, b'"reward":', b'"reward":1')
    with pytest.raises(
        WorkspaceError, match=rf"{name}: line \d+ is not event \d+ .*; delete it, and gepa resume"
    ):
        replay_events(finished.run_dir)
    (finished.run_dir / name).unlink()


@pytest.mark.parametrize("name", BOTH)
def test_a_line_that_is_taken_out_is_found(finished, name):
    path = finished.run_dir / name
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:9] + lines[10:]))
    where = (
        ":10: the line has event 11 where event 10 belongs" if name == files.EVENTS else ": line 10 is not"
    )
    with pytest.raises(WorkspaceError, match=rf"{name}{where}"):
        replay_events(finished.run_dir)


def test_lines_that_are_cut_off_a_run_that_is_over_are_missed(finished):
    path = finished.run_dir / files.EVENTS
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(WorkspaceError, match=rf"ends after event {finished.events - 1}, and the journal has"):
        replay_events(finished.run_dir)
    with pytest.raises(EventFeedError, match=rf":{finished.events}: the file ends within this line"):
        replay_events(path)


def test_lines_that_a_live_run_has_not_written_yet_are_told(finished):
    path = finished.run_dir / files.EVENTS
    path.write_bytes(path.read_bytes()[:-20])
    lock = WorkspaceLock(finished.run_dir)
    replayed = replay_events(finished.run_dir)
    lock.release()
    count = finished.events
    assert (replayed.events, replayed.proved) == (count - 1, (files.NORMALISED,))
    assert replayed.unproved == (f"events.jsonl ends after event {count - 1} of {count} so far",)


def test_a_run_is_replayed_while_it_goes_on(project, at):
    seen = []
    listener = at("iteration.started", 2, lambda: seen.append(replay_events(project.directory())))
    project.run().execute(listeners=[listener])
    assert seen[0].ending == "iteration.started"
    assert seen[0].proved == BOTH


def test_a_directory_without_a_journal_is_an_error(finished):
    (finished.run_dir / files.WORKSPACE).unlink()
    with pytest.raises(WorkspaceError, match="does not exist"):
        replay_events(finished.run_dir)
