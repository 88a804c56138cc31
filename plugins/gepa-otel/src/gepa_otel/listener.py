"""The listener: makes spans of what it hears."""

from __future__ import annotations

import time
from collections.abc import Callable

from gepa_framework.types import Effect, Event
from gepa_framework.types.events import (
    CandidateRegistered,
    EventBody,
    RolloutCompleted,
    RolloutFailed,
    RunCancelled,
    RunFailed,
    RunFinished,
    StopDecided,
)
from gepa_otel.describing import effect_attributes, effect_title, event_attributes
from gepa_otel.ids import RUN, effect_name, iteration_name
from gepa_otel.iterations import Iteration, is_beginning
from gepa_otel.spans import Note, Sink, Span
from gepa_otel.starts import Starts
from gepa_otel.values import Attributes, put

_STATUS: dict[type[EventBody], str] = {
    RunFinished: "finished",
    RunFailed: "failed",
    RunCancelled: "cancelled",
}


class OtelListener:
    """Sends a span for each effect, for each iteration once it is over, and for the run once that is.

    Args:
        run_id: The run.
        open_outlet: Gives where spans go; called with the first of them.
        starts: Knows when the run and its iterations began.
        texts: Whether texts may be sent.
    """

    def __init__(
        self, run_id: str, open_outlet: Callable[[], Sink], starts: Starts, *, texts: bool = False
    ) -> None:
        self._run_id = run_id
        self._open_outlet = open_outlet
        self._starts = starts
        self._texts = texts
        self._outlet: Sink | None = None
        self._iterations: dict[int, Iteration] = {}
        self._over: set[int] = set()
        self._began_ns: int | None = None
        self._notes: list[Note] = []
        self._end: Event | None = None
        self._closed = False

    def on_effect(self, effect: Effect) -> None:
        """Send the span of an effect."""
        if self._closed:
            return
        # What another process began may be known by its effects alone.
        self._begin(effect.began_ns)
        number = effect.iteration
        if number and number not in self._over:
            iteration = self._iteration(number, effect.began_ns)
            iteration.ended_ns = max(iteration.ended_ns, effect.ended_ns)
        self._send(
            Span(
                effect_name(effect.effect_id),
                effect_title(effect),
                iteration_name(number) if number else RUN,
                effect.began_ns,
                effect.ended_ns,
                effect_attributes(self._run_id, effect, texts=self._texts),
                error=f"{effect.failed}: {effect.code}" if effect.failed else "",
                outside=not effect.cached,
            )
        )

    def on_event(self, event: Event) -> None:
        """Note an event where it belongs: with its iteration, or with the run."""
        if self._closed:
            return
        body, now = event.body, time.time_ns()
        self._begin(now)
        if isinstance(body, RolloutCompleted | RolloutFailed):
            return  # they have spans
        note = Note(event.type, now, event_attributes(event, texts=self._texts))
        number = _iteration_of(body)
        if is_beginning(body):
            self._finish_before(number)
        if number and number not in self._over:
            iteration = self._iteration(number, now)
            iteration.hear(body, note)
            if iteration.over:
                self._finish(iteration)
        else:
            self._notes.append(note)
            # A run that is extended goes on, and ends once more.
            self._end = event if type(body) in _STATUS else self._end

    def close(self) -> None:
        """Send the run if it is over, and what waits; an interrupted one is sent by whoever ends it."""
        if self._closed:
            return
        self._closed = True
        if self._end is not None:
            for iteration in list(self._iterations.values()):
                self._finish(iteration)
            self._send(self._run(self._end))
        if self._outlet is not None:
            self._outlet.close()

    def _begin(self, at_ns: int) -> None:
        if self._began_ns is None:
            self._began_ns = self._starts.of(RUN, at_ns)
        self._began_ns = min(self._began_ns, at_ns)

    def _iteration(self, number: int, at_ns: int) -> Iteration:
        if (known := self._iterations.get(number)) is None:
            began = self._starts.of(iteration_name(number), at_ns)
            known = self._iterations[number] = Iteration(number, began)
        known.began_ns = min(known.began_ns, at_ns)
        return known

    def _finish_before(self, number: int) -> None:
        """Finish what another process began, now that the search has gone on."""
        for iteration in list(self._iterations.values()):
            if iteration.number < number and not iteration.whole and iteration.even:
                self._finish(iteration)

    def _finish(self, iteration: Iteration) -> None:
        del self._iterations[iteration.number]
        self._over.add(iteration.number)
        name = iteration_name(iteration.number)
        self._starts.forget(name)
        attributes: Attributes = {"gepa.run.id": self._run_id, "gepa.iteration": iteration.number}
        put(attributes, "gepa.candidate.id", iteration.parent_id)
        self._send(
            Span(name, "iteration", RUN, iteration.began_ns, iteration.ended_ns, attributes, iteration.notes)
        )

    def _run(self, end: Event) -> Span:
        attributes = event_attributes(end, texts=self._texts)
        put(attributes, "gepa.run.id", self._run_id)
        put(attributes, "gepa.run.status", _STATUS[type(end.body)])
        error = end.body.error_code if isinstance(end.body, RunFailed) else ""
        began, ended = self._began_ns or 0, self._notes[-1].at_ns
        return Span(RUN, "run", None, began, ended, attributes, self._notes, error)

    def _send(self, span: Span) -> None:
        if self._outlet is None:
            self._outlet = self._open_outlet()
        self._outlet.send(span)


class Deaf:
    """The listener of a run that is not among those that are traced."""

    def on_event(self, event: Event) -> None:
        """Take no note of it."""

    def close(self) -> None:
        """Do nothing."""


def _iteration_of(body: EventBody) -> int:
    """Give the iteration that an event belongs to; 0 where it belongs to the run."""
    if isinstance(body, StopDecided):
        return 0  # it says how far the search had come
    if isinstance(body, CandidateRegistered) and body.source == "seed":
        return 0
    number = getattr(body, "iteration", 0)
    return number if isinstance(number, int) else 0
