from __future__ import annotations

import json
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gepa_framework.app import event_tailing, files, follow_events, tail_events
from gepa_framework.errors import EventFeedError
from gepa_framework.workspace import WorkspaceLock, feed_tail

TYPES = ("rollout.completed", "rollout.failed", "candidate.accepted")


def text(seq, width=10):
    return json.dumps({"seq": seq, "type": TYPES[seq % 3], "x": "é" * width}, ensure_ascii=False) + "\n"


def texts(first, last, width=10):
    return "".join(text(seq, width) for seq in range(first, last + 1)).encode()


def seqs(lines):
    return [line.seq for line in lines]


@pytest.fixture
def feed(tmp_path):
    return tmp_path / files.EVENTS


@pytest.fixture
def lock(tmp_path):
    held = WorkspaceLock(tmp_path)
    yield held
    held.release()


class Script:
    """What is done at each wait of the one who follows, in order; it waits no more often than that."""

    def __init__(self, *acts):
        self.acts = list(acts)

    def __call__(self, seconds):
        assert seconds == event_tailing.POLL_SECONDS
        self.acts.pop(0)()


@pytest.mark.parametrize("count", [0, 1, 7, 8, 1000])
@pytest.mark.parametrize("end", [b"", b'{"seq":9,"ty'])
def test_the_last_events_are_given_and_a_torn_line_is_not(feed, count, end):
    feed.write_bytes(texts(1, 8) + end)
    lines = tail_events(feed.parent, last=count)
    assert seqs(lines) == list(range(9 - min(count, 8), 9))
    assert all(line.number == line.seq and line.text + "\n" == text(line.seq) for line in lines)


def test_an_empty_feed_has_no_last_events(feed):
    feed.touch()
    assert tail_events(feed) == []


def test_only_the_end_of_a_long_feed_is_read(feed, monkeypatch):
    monkeypatch.setattr(event_tailing, "_END", 500)
    feed.write_bytes(b"rubbish\n" + texts(2, 500))
    assert seqs(tail_events(feed, last=20)) == list(range(481, 501))


@given(width=st.integers(0, 300), last=st.integers(0, 40), end=st.integers(1, 3000), cut=st.integers(0, 99))
def test_the_last_events_are_those_at_the_end_of_all(tmp_path_factory, width, last, end, cut):
    feed = tmp_path_factory.mktemp("tail") / files.EVENTS
    content = texts(1, 30, width)
    feed.write_bytes(content[: len(content) - cut])
    whole = content[: len(content) - cut].count(b"\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(event_tailing, "_END", end)
        assert seqs(tail_events(feed, last=last)) == list(range(max(1, whole - last + 1), whole + 1))


@pytest.mark.parametrize("pattern", ["rollout.*", "*.failed", "candidate.accepted", "none"])
def test_a_pattern_chooses_the_last_of_those_that_match(feed, pattern):
    feed.write_bytes(texts(1, 300))
    wanted = [seq for seq in range(1, 301) if event_tailing.fnmatchcase(TYPES[seq % 3], pattern)]
    assert seqs(tail_events(feed, last=50, types=pattern)) == wanted[-50:]
    assert tail_events(feed, last=0, types=pattern) == []


def test_a_gap_at_the_end_is_named_by_its_line(feed, monkeypatch):
    monkeypatch.setattr(event_tailing, "_END", 200)
    feed.write_bytes(texts(1, 50) + texts(52, 52))
    message = r"events\.jsonl:51: the line has event 52 where event 51 belongs"
    with pytest.raises(EventFeedError, match=message):
        tail_events(feed, last=2)
    with pytest.raises(EventFeedError, match=message):
        tail_events(feed, last=2, types="rollout.*")


def test_a_file_without_lines_is_given_up(feed, monkeypatch):
    monkeypatch.setattr(feed_tail, "MAX_LINE_BYTES", 1 << 12)
    feed.write_bytes(texts(1, 3) + b"x" * (1 << 17))
    with pytest.raises(EventFeedError, match=r"events\.jsonl:4: the line has more than"):
        tail_events(feed)


def test_events_are_given_as_they_are_written_until_nobody_works_on_the_run(feed, lock):
    feed.write_bytes(texts(1, 3))
    last = text(6).encode()
    wait = Script(
        lambda: None,
        lambda: append(feed, texts(4, 5) + last[:9]),
        lambda: append(feed, last[9:20]),
        lambda: append(feed, last[20:]),
        lambda: [append(feed, texts(7, 7)), lock.release()],
    )
    assert seqs(follow_events(feed.parent, last=2, wait=wait)) == [2, 3, 4, 5, 6, 7]
    assert wait.acts == []


def append(path, data):
    with path.open("ab") as file:
        file.write(data)


def test_a_run_that_nobody_works_on_is_not_waited_for(feed):
    feed.write_bytes(texts(1, 3) + b"{")
    assert seqs(follow_events(feed, last=1, wait=Script())) == [3]


def test_a_pattern_holds_for_what_is_written_as_well(feed, lock):
    feed.write_bytes(texts(1, 3))
    wait = Script(lambda: [append(feed, texts(4, 12)), lock.release()])
    assert seqs(follow_events(feed, last=9, types="*.accepted", wait=wait)) == [2, 5, 8, 11]


def test_a_run_that_has_no_feed_yet_is_waited_for(feed, lock):
    wait = Script(lambda: None, lambda: feed.write_bytes(texts(1, 1)), lock.release)
    assert seqs(follow_events(feed.parent, wait=wait)) == [1]


def test_a_run_that_dies_before_it_has_a_feed_is_not_waited_for(feed, lock):
    with pytest.raises(EventFeedError, match=r"holds no events\.jsonl"):
        list(follow_events(feed.parent, wait=Script(lock.release)))


def test_a_torn_line_that_is_cut_off_and_written_again_is_given_once(feed, lock):
    feed.write_bytes(texts(1, 3) + b'{"seq":4,"ty')
    wait = Script(
        lambda: feed.write_bytes(texts(1, 3)),
        lambda: append(feed, texts(4, 4)),
        # A feed that is written again whole is shorter for a while.
        lambda: feed.write_bytes(texts(1, 2)),
        lambda: [append(feed, texts(3, 6)), lock.release()],
    )
    assert seqs(follow_events(feed, last=9, wait=wait)) == [1, 2, 3, 4, 5, 6]


def test_a_feed_that_stays_shorter_is_an_error(feed, lock):
    feed.write_bytes(texts(1, 3))
    wait = Script(lambda: [feed.write_bytes(texts(1, 2)), lock.release()])
    with pytest.raises(EventFeedError, match=r"has become shorter: it ends at byte \d+, and \d+ were read"):
        list(follow_events(feed, wait=wait))


def test_what_follows_must_have_the_next_number(feed, lock):
    feed.write_bytes(texts(1, 3))
    wait = Script(lambda: append(feed, texts(4, 5) + texts(7, 7)))
    following = follow_events(feed, last=1, wait=wait)
    with pytest.raises(EventFeedError, match=r"events\.jsonl:6: the line has event 7 where event 6 belongs"):
        list(following)
    assert lock is not None


def test_much_at_once_is_given_in_parts(feed, lock, monkeypatch):
    monkeypatch.setattr(event_tailing, "_AT_ONCE", 16)
    feed.write_bytes(texts(1, 1))
    wait = Script(lambda: append(feed, texts(2, 60, 50)), lock.release)
    assert seqs(islice(follow_events(feed, wait=wait), 60)) == list(range(1, 61))


def test_a_live_run_is_followed_to_its_end(project, at):
    seen = []
    run_dir = project.directory()

    def look():
        # Within the run: all that is waited for is its end, and the one who looks cannot wait for that.
        seen.extend(islice(follow_events(run_dir, last=10_000, wait=Script()), 12))

    result = project.run().execute(listeners=[at("candidate.evaluated", 1, look)])
    assert seqs(seen) == list(range(1, 13))
    assert seqs(follow_events(run_dir, last=10_000, wait=Script())) == list(range(1, result.events + 1))
