"""The thread that records: it takes events from a queue and brings what follows from them to MLflow."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

import attrs

from gepa_framework.types import BuildContext, Event, event_fields
from gepa_mlflow.config import MlflowConfig
from gepa_mlflow.feed import FeedReader, identity
from gepa_mlflow.notes import Note
from gepa_mlflow.places import Place
from gepa_mlflow.record import Names, Record
from gepa_mlflow.story import Story

#: How long it leaves MLflow alone after a failure: at first, and at most.
_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 30.0


@attrs.define
class Worker:
    """Records one run, until it is told to stop and all is recorded, or no more can be.

    Attributes:
        events: Those that were told and not looked at yet; ``None`` only wakes it up.
        stopping: Set once there are no more.
        trouble: Why not all is recorded; empty while nothing is wrong.
    """

    _config: MlflowConfig
    _context: BuildContext
    events: queue.Queue[Event | None] = attrs.field(init=False)
    stopping: threading.Event = attrs.field(factory=threading.Event, init=False)
    trouble: str = attrs.field(default="", init=False)
    _place: Place = attrs.field(init=False)
    _story: Story = attrs.field(init=False)
    _feed: FeedReader = attrs.field(init=False)
    _record: Record | None = attrs.field(default=None, init=False)
    _notes: list[Note] = attrs.field(factory=list, init=False)
    _unheard: int = attrs.field(default=0, init=False)
    _pause: float = attrs.field(default=_PAUSE_SECONDS, init=False)
    _sent: int = attrs.field(default=0, init=False)
    _told: set[str] = attrs.field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        """Make what the configuration decides."""
        self.events = queue.Queue(self._config.queue_size)
        self._place = Place.of(self._config, self._context)
        self._story = Story(self._context.settings)
        self._feed = FeedReader(self._context.run_dir / "events.jsonl")

    @property
    def shown(self) -> str:
        """Where it records, free of secrets."""
        return self._place.shown

    def missing(self, *, ended: bool) -> str:
        """Say why MLflow does not have all of the run; nothing where it has.

        Args:
            ended: Whether the thread has come to its end.
        """
        if not ended:
            return self.trouble or f"it takes longer than {self._config.close_seconds:g} s"
        if self.trouble:
            return self.trouble
        return f"{self._unheard} events are not in {self._feed.path}" if self._unheard else ""

    def work(self) -> None:
        """Do it all; called in the thread."""
        try:
            while not self._is_over():
                pass
        except Exception as error:  # noqa: BLE001 - it must not end without a word
            self.trouble = self._plain(f"{type(error).__name__}: {error}")
            if not self.stopping.is_set():
                what = "%s records no more of the run: %s; `gepa resume %s` records what is missing"
                self._warn("end", what, self.shown, self.trouble, self._context.run_dir)

    def _is_over(self) -> bool:
        """Gather, and record: one round."""
        stopped = self._gather()
        if stopped:
            self._hear_the_feed(None)
        if self._deliver(last=stopped):
            self._pause, self.trouble = _PAUSE_SECONDS, ""
            return stopped
        if stopped:
            return True
        # What is told meanwhile stays in the queue; where that is full, it is read from the feed.
        self.stopping.wait(self._pause)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)
        return False

    def _gather(self) -> bool:
        """Take events for a while, and tell whether there will be no more."""
        until = time.monotonic() + self._config.flush_seconds
        while True:
            stopping = self.stopping.is_set()
            left = until - time.monotonic()
            if left <= 0 and not stopping:
                return False
            try:
                event = self.events.get(timeout=0 if stopping else left)
            except queue.Empty:
                return stopping
            if event is not None:
                self._take(event)

    def _take(self, event: Event) -> None:
        if event.seq > self._story.seq + 1:
            self._hear_the_feed(event.seq - 1)
        if event.seq > self._story.seq:
            self._unheard += event.seq - self._story.seq - 1
            self._hear(event_fields(event))

    def _hear_the_feed(self, last: int | None) -> None:
        for fields in self._feed.upto(last):
            if int(fields["seq"]) > self._story.seq:
                self._hear(fields)

    def _hear(self, fields: Mapping[str, Any]) -> None:
        note = self._story.hear(fields)
        if note is not None:
            self._notes.append(note)

    def _deliver(self, *, last: bool) -> bool:
        """Bring to MLflow what has gathered, and tell whether it went well."""
        if not self._notes and not (last and self._story.seq):
            return True
        if why := self._place.unreachable():
            self._fail(f"it cannot be reached: {why}")
            return False
        try:
            self._write(last=last)
        except Exception as error:  # noqa: BLE001 - whatever MLflow raises is no matter of the run
            self._record = None
            self._fail(f"{type(error).__name__}: {error}")
            return False
        return True

    def _write(self, *, last: bool) -> None:
        if self._record is None:
            elapsed = self._notes[-1].elapsed_seconds if self._notes else 0.0
            self._record = Record.open(self._place, self._names(), elapsed)
            if self._record.last < self._sent:
                self._tell_again()
        refused = self._record.write(self._notes)
        self._notes.clear()
        self._sent = self._record.last
        if refused:
            what = "%s keeps no artifacts of this run: %s"
            self._warn("artifacts", what, self.shown, self._plain(str(refused[0])))
        if self._story.status != "RUNNING":
            self._record.become(self._story.status)
        elif last:
            self._record.become("KILLED", {"gepa.status": "stopped"})

    def _tell_again(self) -> None:
        """Begin with the first event: somebody has deleted what was recorded."""
        last = self._story.seq
        self._notes.clear()
        self._story, self._feed = Story(self._context.settings), FeedReader(self._feed.path)
        self._hear_the_feed(last)

    def _names(self) -> Names:
        context = self._context
        tags = {
            "mlflow.source.name": "gepa",
            **self._config.tags,
            "gepa.run_id": context.run_id,
            "gepa.run_dir": str(context.run_dir),
        }
        return Names(identity(context.run_dir), self._config.run_name or context.run_id, tags)

    def _fail(self, why: str) -> None:
        self.trouble = self._plain(why)
        if not self.stopping.is_set():
            what = "%s does not record the run: %s; the run goes on, and it is tried again"
            self._warn("trouble", what, self.shown, self.trouble)

    def _warn(self, once: str, what: str, *words: object) -> None:
        if once not in self._told:
            self._told.add(once)
            self._context.logger.warning(what, *words)

    def _plain(self, text: str) -> str:
        lines = self._place.redact(text).strip().splitlines()
        return lines[0][:500] if lines else "no reason given"
