"""A run told from its feed, as the plain display told it while it went on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs

from gepa_framework.app.event_bodies import event_of
from gepa_framework.app.event_sources import read_events
from gepa_framework.cli import output
from gepa_framework.cli.display.decisions import decision
from gepa_framework.cli.display.facts import RunFacts, most_in_all
from gepa_framework.cli.display.plain import Narrator
from gepa_framework.cli.words import clean, duration
from gepa_framework.engine import Limits
from gepa_framework.errors import EventFeedError
from gepa_framework.types import Event, JSONScalar
from gepa_framework.types import events as happened


@attrs.define
class _Known:
    """What a feed tells of what was known before the run began."""

    limits: Limits = attrs.field(factory=lambda: _limits({}))
    train: int = 0
    pareto: int = 0
    heldout: int = 0

    def take(self, event: Event) -> None:
        body = event.body
        if isinstance(body, happened.RunStarted | happened.RunExtended):
            self.limits = _limits(body.limits)
        elif isinstance(body, happened.RowsLoaded) and body.purpose == "heldout":
            self.heldout = len(body.rows)
        elif isinstance(body, happened.RowsLoaded):
            self.train = len(body.rows)
        elif isinstance(body, happened.CandidateEvaluated) and not self.pareto:
            self.pareto = body.rows

    def facts(self, feed: Path) -> RunFacts:
        full = self.pareto or self.train
        most = most_in_all(self.limits, full, self.heldout)
        search = self.limits.train_rollouts
        return RunFacts(feed.parent.name, feed.parent, search, most - search, full)


def _limits(told: Mapping[str, JSONScalar]) -> Limits:
    known = {field.name for field in attrs.fields(Limits)}
    numbers = {name: value for name, value in told.items() if name in known and type(value) in (int, float)}
    return Limits(**{"train_rollouts": 0, "heldout_rollouts": 0, **numbers})  # type: ignore[arg-type]


class Story:
    """Writes the lines of a run to stdout as its events are given.

    Args:
        feed: Where they come from; looked through as far as the seed's evaluation, by which all is known that
            was known when the run began.
        opening: Whether to write the first line, which names the run by the directory of the feed.
    """

    def __init__(self, feed: Path, *, opening: bool) -> None:
        self._feed = feed
        self._known, self._timed = _known_before(feed)
        self._narrator = Narrator(self._known.facts(feed), timed=self._timed)
        if opening:
            output.answer(clean(self._narrator.opening()))

    def on_event(self, event: Event) -> None:
        """Write the event's line, if it has one."""
        if isinstance(event.body, happened.RunExtended):
            self._known.take(event)
            self._narrator.progress.facts = self._known.facts(self._feed)
        line = self._narrator.line(event)
        if isinstance(event.body, happened.RunFailed):
            # The display leaves it to the error that ends the command.
            clock = f"[{duration(event.elapsed_seconds):>5}] " if self._timed else ""
            line = clock + decision(event.body)
        if line:
            output.answer(clean(line))


def _known_before(feed: Path) -> tuple[_Known, bool]:
    known, timed = _Known(), True
    try:
        for line in read_events(feed):
            timed = line.elapsed_seconds is not None
            event = event_of(line)
            known.take(event)
            if isinstance(event.body, happened.CandidateEvaluated):
                break
    except EventFeedError:
        pass  # whoever reads the feed proper comes upon it again, and says so
    return known, timed
