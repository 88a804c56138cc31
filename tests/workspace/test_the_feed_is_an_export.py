from __future__ import annotations

import errno
import json
import os
from contextlib import closing

import attrs
import pytest

from gepa_framework.errors import DiskBudgetError, WorkspaceError
from gepa_framework.types import EVENT_TYPES
from gepa_framework.workspace import Feed, feed_line, feeds, normalised_line
from gepa_framework.workspace.feed_tail import TAIL_BYTES


@pytest.fixture
def lines(journal, make):
    return journal.commit([make.start(), make.outcome(), make.decided()])


def read(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_line_is_one_event(lines, tmp_path):
    feed = Feed(tmp_path)
    feed.write(lines)
    feed.close()
    events = read(feed.path)
    assert [event["seq"] for event in events] == list(range(1, 9))
    assert [event["type"] for event in events] == [line.type for line in lines]
    assert events[1]["elapsed_seconds"] == 1.5
    assert events[1]["reward"] == 0.5
    assert {event["type"] for event in events} <= EVENT_TYPES.keys()


def test_the_normalised_feed_is_the_feed_without_its_clock(lines, tmp_path):
    feed = Feed(tmp_path)
    feed.write(lines)
    feed.close()
    timed = read(feed.path)
    for event in timed:
        del event["elapsed_seconds"]
    assert read(feed.normalised_path) == timed
    assert "elapsed" not in feed.normalised_path.read_text()


def test_a_written_line_is_in_the_file_at_once(lines, tmp_path):
    feed = Feed(tmp_path)
    feed.write(lines[:1])
    assert len(read(feed.path)) == len(read(feed.normalised_path)) == 1
    feed.close()


def test_opening_a_feed_rebuilds_it_from_the_record(journal, lines, tmp_path):
    (tmp_path / "events.jsonl").write_text('{"half": "a li')
    (tmp_path / "events.normalized.jsonl").write_text("rubbish\n" * 50)
    feed = Feed(tmp_path, journal)
    feed.close()
    assert len(read(feed.path)) == len(read(feed.normalised_path)) == len(lines)


def test_a_rebuilt_feed_equals_the_one_written_as_events_came(journal, lines, tmp_path):
    written, rebuilt = tmp_path / "written", tmp_path / "rebuilt"
    for directory in (written, rebuilt):
        directory.mkdir()
    feed = Feed(written)
    for line in lines:
        feed.write([line])
    feed.close()
    Feed(rebuilt, journal).close()
    for name in ("events.jsonl", "events.normalized.jsonl"):
        assert (written / name).read_bytes() == (rebuilt / name).read_bytes()


def test_what_is_written_at_once_is_what_each_line_is_rendered_to(lines, tmp_path):
    lines.append(attrs.evolve(lines[0], seq=9, elapsed_us=123_456_789_012_345, body='{"a":"\ud800"}'))
    feed = Feed(tmp_path)
    feed.write(lines)
    feed.close()
    for path, render in zip(feeds(tmp_path), (feed_line, normalised_line), strict=True):
        assert path.read_bytes() == "".join(map(render, lines)).encode("utf-8", "surrogatepass")


def test_a_disk_that_takes_a_part_is_given_the_rest(journal, lines, tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, bytes(data)[:7]))
    feed = Feed(tmp_path)
    feed.write(lines)
    feed.close()
    monkeypatch.undo()
    written = [path.read_bytes() for path in feeds(tmp_path)]
    Feed(tmp_path, journal).close()
    assert [path.read_bytes() for path in feeds(tmp_path)] == written
    assert len(read(feed.path)) == len(lines)


def test_a_feed_that_could_not_be_written_is_written_no_further(journal, lines, tmp_path, monkeypatch):
    feed = Feed(tmp_path)
    with monkeypatch.context() as patch:

        def full(handle, data):
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr(os, "write", full)
        with pytest.raises(DiskBudgetError, match=r"events\.jsonl: No space left"):
            feed.write(lines[:4])
    with pytest.raises(WorkspaceError, match=r"could not be written before; resume the run"):
        feed.write(lines[4:])
    feed.close()
    assert feed.path.read_bytes() == feed.normalised_path.read_bytes() == b""
    Feed(tmp_path, journal).close()
    assert len(read(feed.path)) == len(read(feed.normalised_path)) == len(lines)


def test_a_feed_that_cannot_be_opened_says_which_and_why(tmp_path):
    with pytest.raises(WorkspaceError, match=r"events\.jsonl: No such file"):
        Feed(tmp_path / "nowhere")


def test_a_lone_surrogate_is_written_as_an_escape(journal, lines, tmp_path):
    feed = Feed(tmp_path, journal)
    feed.close()
    assert b"\\ud800" in feed.path.read_bytes()
    assert read(feed.path)[0]["components"] == {"prompt": "sé\ud800ed"}


def test_no_more_is_left_unsynced_than_a_resume_looks_at(lines, tmp_path, monkeypatch):
    synced, written = [], 0
    monkeypatch.setattr(os, "fsync", synced.append)
    with closing(Feed(tmp_path)) as feed:
        while len(synced) < 4:
            before = len(synced)
            feed.write(lines)
            written += feed.path.stat().st_size - written
            assert len(synced) == before or len(synced) == before + 2
            assert written < (len(synced) // 2 + 1) * TAIL_BYTES
    assert len(synced) == 6
