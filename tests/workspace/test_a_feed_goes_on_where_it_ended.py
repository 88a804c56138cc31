from __future__ import annotations

import json
import logging
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gepa_framework.builtin.sqlite_store import SqliteStore
from gepa_framework.workspace import Feed, Journal, Line, feed_file, feed_tail, feeds


class OnRecord:
    """Lines that are on record, and which of them were asked for."""

    def __init__(self, bodies):
        self.all = [
            Line(seq, seq * 700_001, f"type.{seq % 3}", json.dumps({"text": body}, ensure_ascii=False))
            for seq, body in enumerate(bodies, start=1)
        ]
        self.given = 0

    @property
    def events(self):
        return len(self.all)

    def lines(self, *, after=0):
        for line in self.all[after:]:
            self.given += 1
            yield line


def whole(directory, record):
    Feed(directory, record).close()
    return [path.read_bytes() for path in feeds(directory)]


@pytest.fixture
def record():
    return OnRecord(["é", "", "\u2028 x\r", "long " * 40, "\\", "last"])


@pytest.fixture
def files(tmp_path, record):
    """Give what the files of the record hold, and where they are."""
    return list(zip(feeds(tmp_path), whole(tmp_path, record), strict=True))


@pytest.fixture
def warned(caplog):
    caplog.set_level(logging.WARNING)
    return lambda: [each.getMessage() for each in caplog.records if each.name.startswith("gepa_framework")]


@pytest.mark.parametrize("window", [1, 100, 1 << 20])
def test_a_feed_torn_at_any_byte_is_made_whole(files, record, window, monkeypatch, warned):
    monkeypatch.setattr(feed_file, "TAIL_BYTES", window)
    for path, content in files:
        for offset in range(len(content) + 1):
            path.write_bytes(content[:offset])
            Feed(path.parent, record).close()
            assert [(each, each.read_bytes()) for each, _ in files] == files, offset
    assert warned() == []


BODIES = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), min_size=1, max_size=12)


@given(
    bodies=BODIES,
    cuts=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    ends=st.tuples(*[st.sampled_from([b"", b"\0" * 5, b'{"seq":', b"\r\xff"])] * 2),
    window=st.integers(1, 400),
    ahead=st.integers(0, 12),
)
def test_whatever_a_dying_process_leaves_is_made_whole(bodies, cuts, ends, window, ahead):
    record = OnRecord(bodies)
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        directory = Path(name)
        wanted = whole(directory, record)
        # What was written is behind the journal, by as much as the process had no time for.
        written = whole(directory, OnRecord(bodies[: max(0, len(bodies) - ahead)]))
        patch.setattr(feed_file, "TAIL_BYTES", window)
        for path, content, cut, end in zip(feeds(directory), written, cuts, ends, strict=True):
            path.write_bytes(content[: round(cut * len(content))] + end)
        feed = Feed(directory, record)
        feed.write(OnRecord([*bodies, "one more"]).all[-1:])
        feed.close()
        assert [path.read_bytes() for path in feeds(directory)] == whole(
            directory, OnRecord([*bodies, "one more"])
        )
        for path, content in zip(feeds(directory), wanted, strict=True):
            assert path.read_bytes().startswith(content)


@given(
    bodies=BODIES, at=st.floats(0, 1), byte=st.binary(min_size=1, max_size=3), which=st.sampled_from([0, 1])
)
def test_whatever_stands_at_the_end_of_a_feed_is_put_right(bodies, at, byte, which):
    record = OnRecord(bodies)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        wanted = whole(directory, record)
        place = round(at * len(wanted[which]))
        path = feeds(directory)[which]
        path.write_bytes(wanted[which][:place] + byte + wanted[which][place + len(byte) :])
        assert whole(directory, record) == wanted


def test_what_is_missing_is_appended_and_nothing_else_is_touched(tmp_path, files, record, warned):
    for path, content in files:
        path.write_bytes(b"\n".join(content.split(b"\n")[:3]) + b"\n")
    inodes = [path.stat().st_ino for path, _ in files]
    assert [content for _, content in files] == whole(tmp_path, record)
    assert [path.stat().st_ino for path, _ in files] == inodes
    assert warned() == []


def test_opening_a_long_feed_asks_for_its_end_alone(tmp_path, monkeypatch):
    record = OnRecord(["x" * 50] * 5000)
    whole(tmp_path, record)
    monkeypatch.setattr(feed_file, "TAIL_BYTES", 4096)
    record.given = 0
    whole(tmp_path, record)
    assert 60 < record.given < 200


def test_a_feed_that_is_missing_is_written_again_and_that_is_said(tmp_path, files, record, warned):
    path, content = files[1]
    path.unlink()
    Feed(tmp_path, record).close()
    assert path.read_bytes() == content
    assert warned() == [f"{path} is missing: it is written again from the journal"]


def test_the_feeds_of_a_run_that_begins_are_missed_by_nobody(tmp_path, warned):
    assert whole(tmp_path, OnRecord([])) == [b"", b""]
    assert warned() == []


def damages(content):
    lines = content.splitlines(keepends=True)
    return {
        "another line than event 6": content.replace(b"last", b"lust"),
        "another line than event 2": b"".join(lines[:1] + lines[2:]),
        "another line than event 3": b"".join(lines[:2] + lines[1:]),
        "longer than the journal": content + lines[-1],
        "no event where one begins, at byte 0": b"rubbish\n" * 50,
        "no event where one begins, at byte 0 ": b"".join(lines[1:]),
        "another line than event 1": lines[0].replace(b"type.1", b"type.2"),
    }


@pytest.mark.parametrize("how", list(damages(b"1\n2\n3\n")))
def test_a_feed_that_is_another_is_written_again_and_that_is_said(tmp_path, files, record, warned, how):
    path, content = files[0]
    path.write_bytes(damages(content)[how])
    Feed(tmp_path, record).close()
    assert path.read_bytes() == content
    (said,) = warned()
    assert said.startswith(f"{path} ")
    assert f"{how.strip()}" in said
    assert said.endswith(": it is written again from the journal")


def test_the_numbers_of_a_long_feed_are_held_against_its_place(tmp_path, files, record, monkeypatch, warned):
    monkeypatch.setattr(feed_file, "TAIL_BYTES", 1)
    path, content = files[0]
    path.write_bytes(b'{"seq":0}\n' + content)
    Feed(tmp_path, record).close()
    assert path.read_bytes() == b'{"seq":0}\n' + content  # the end alone is read
    path.write_bytes(b"x" * 500 + b"\n" + content.splitlines(keepends=True)[0])
    Feed(tmp_path, record).close()
    assert path.read_bytes() == content
    assert "has no event where one begins, at byte 501" in warned()[0]


def test_a_line_without_end_is_no_event(tmp_path, files, record, monkeypatch, warned):
    monkeypatch.setattr(feed_file, "TAIL_BYTES", 1)
    monkeypatch.setattr(feed_tail, "MAX_LINE_BYTES", 1 << 10)
    path, content = files[0]
    path.write_bytes(content + b"x" * (1 << 13))
    Feed(tmp_path, record).close()
    assert path.read_bytes() == content
    assert "has a line of more than" in warned()[0]


def test_a_journal_gives_the_events_after_a_number(journal, make, path):
    lines = journal.commit([make.start(), make.outcome(), make.decided()])
    assert [list(journal.lines(after=seq)) for seq in range(10)] == [lines[seq:] for seq in range(10)]
    with closing(Journal.open(SqliteStore(path), readonly=True)) as reading:
        assert list(reading.lines(after=6)) == lines[6:]


def test_a_store_without_events_after_gives_all_and_the_journal_chooses(journal, make, monkeypatch):
    lines = journal.commit([make.start(), make.outcome(), make.decided()])
    monkeypatch.delattr(SqliteStore, "events_after")
    assert list(journal.lines(after=6)) == lines[6:]
