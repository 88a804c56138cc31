"""Replaying a feed: its events told again, and the feed of a run held against the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import attrs

from gepa_framework.app.event_bodies import event_of
from gepa_framework.app.event_lines import EventLine, read_lines
from gepa_framework.app.event_sources import feed_of, read_events
from gepa_framework.app.feed_proof import FeedProof, FeedsHeld
from gepa_framework.app.stores import read_journal
from gepa_framework.types import Event, JSONObject
from gepa_framework.workspace import file_errors, glance, holder_of


@attrs.frozen
class EventReplay:
    """What was replayed of a feed, and proved.

    Attributes:
        feed: The feed.
        events: Its events, numbered without a gap.
        ending: Type of the last one; empty where there is none.
        proved: Names of the files that equal what the journal gives; none for a file that was named.
        unproved: What could not be held against the journal of a run that is not over, a sentence each.
    """

    feed: Path
    events: int
    ending: str
    proved: tuple[str, ...] = ()
    unproved: tuple[str, ...] = ()

    def to_dict(self) -> JSONObject:
        """Give it as JSON."""
        return {**attrs.asdict(self), "feed": str(self.feed)}


def replay_events(source: str | Path, on_event: Callable[[Event], object] = lambda _: None) -> EventReplay:
    """Tell the events of a feed again, and prove that their numbers have no gap.

    For the directory of a run, its feeds are then held against the journal, line by line; the run may go on
    meanwhile. Nothing is written.

    Args:
        source: The directory of a run, or a file of events, normalised or not.
        on_event: Told of every event, at 0 seconds where the feed is normalised.

    Raises:
        EventFeedError: There is no feed, a line of it is no event that this version knows, or the numbers
            have a gap; the message names file and line.
        WorkspaceError: It is not what the journal gives, or one of them cannot be read.
        PluginError: The store that keeps the journal cannot be used.
    """
    path = feed_of(source)
    if not Path(source).is_dir():
        return _told(path, read_events(path), on_event)
    # The files first: whatever they tell is in the journal already, even of a run that goes on.
    run_dir, holder = Path(source), holder_of(Path(source))
    with file_errors(path):
        size, proof = path.stat().st_size, FeedProof(run_dir)
    told = _told(path, read_lines(path, size, torn=True), on_event)
    with closing(read_journal(run_dir)) as journal:
        over = bool(glance(journal).ending) and not holder
        held = FeedsHeld.judge(proof.hold(journal.lines()), journal.events, over=over)
    return attrs.evolve(told, proved=held.proved, unproved=held.unproved)


def _told(path: Path, lines: Iterator[EventLine], on_event: Callable[[Event], object]) -> EventReplay:
    count, ending = 0, ""
    for line in lines:
        on_event(event_of(line))
        count, ending = line.seq, line.type
    return EventReplay(path, count, ending)
