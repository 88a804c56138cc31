"""Replay: the journal fed to a fresh machine must tell the same story."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from gepa_framework.engine import Machine, Step
from gepa_framework.errors import ReplayDivergenceError, StateTransitionError
from gepa_framework.types import Event
from gepa_framework.workspace import Stored, event_text


def replay(
    machine: Machine, journal: Iterable[Stored], proved: Callable[[Step], object] = lambda _: None
) -> Iterator[Event]:
    """Feed what is on record and give the events that follow, each held against the one recorded.

    Args:
        machine: At the run's beginning.
        journal: What is on record.
        proved: Given each step once its events are known to be those on record.

    Raises:
        ReplayDivergenceError: The machine decided otherwise; the message names the first difference.
    """
    seq = 0
    for position, stored in enumerate(journal, start=1):
        elapsed = stored.elapsed_us / 1e6
        try:
            step = machine.start() if stored.given is None else machine.feed(stored.given, elapsed)
        except StateTransitionError as error:
            raise ReplayDivergenceError(f"input {position} does not fit the run: {error.message}") from error
        _compare(position, step, stored.events)
        proved(step)
        for body in step.events:
            seq += 1
            yield Event(seq, elapsed, body)


def _compare(position: int, step: Step, recorded: Sequence[tuple[str, str]]) -> None:
    derived = [(body.type, event_text(body)) for body in step.events]
    if derived == list(recorded):
        return
    for index in range(max(len(derived), len(recorded))):
        now = derived[index] if index < len(derived) else None
        then = recorded[index] if index < len(recorded) else None
        if now != then:
            raise ReplayDivergenceError(
                f"input {position}, event {index + 1} of what follows: recorded {then}, derived {now}",
                hint="resume with the program, plugins and configuration that the run was started with",
            )
