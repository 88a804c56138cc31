"""Flows: the algorithm as generators that yield what they want and are sent the outcomes.

A flow never waits and never looks at the world. It reads like the algorithm it is, and the machine that
drives it may hold it still for as long as it likes between two batches.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Sequence
from typing import TypeAlias, TypeVar

import attrs

from gepa_framework.engine.effects import Command, Outcome
from gepa_framework.types import FREE, FailureKind, RolloutFailure

T = TypeVar("T")

#: Stands for the outcome of a command that was taken back because nothing depends on it any more.
NOT_NEEDED = RolloutFailure(FailureKind.CANCELLED, "not_needed", "nothing depends on it any more", usage=FREE)


def _ignore(_command: Command, _outcome: Outcome) -> None:
    pass


@attrs.frozen
class Batch:
    """Commands that may be carried out side by side.

    Attributes:
        commands: Each with an effect id of its own.
        observe: Called with each command and its outcome in the order of the commands, as soon as all
            before it are in. Whatever order they complete in, the account of the run is the same.
        full: Whether it is a full evaluation, of which only so many run at once.
        needless: Asked after each `observe`; gives effect ids that nothing depends on any more. They are
            taken back, and `NOT_NEEDED` stands for their outcomes.
    """

    commands: tuple[Command, ...]
    observe: Callable[[Command, Outcome], None] = _ignore
    full: bool = False
    needless: Callable[[], Collection[str]] | None = None


@attrs.frozen
class Many:
    """Flows that run side by side until none is left and none may begin.

    Attributes:
        begin: Gives the next flow, or ``None`` where none may begin now; asked again when one has ended.
        width: How many may be under way at once.
    """

    begin: Callable[[], Flow[None] | None]
    width: int


Flow: TypeAlias = Generator[Batch | Many, Sequence[Outcome], T]


def ask(command: Command, observe: Callable[[Command, Outcome], None] = _ignore) -> Flow[Outcome]:
    """Carry out one command and give its outcome, which is observed first."""
    (outcome,) = yield Batch((command,), observe)
    return outcome


def gather(flows: Sequence[Flow[T]]) -> Flow[list[T]]:
    """Run flows in lockstep, the batches of each round as one, and give what they return in their order."""
    if len(flows) == 1:
        return [(yield from flows[0])]
    results: dict[int, T] = {}
    outcomes: dict[int, Sequence[Outcome] | None] = dict.fromkeys(range(len(flows)))
    try:
        while outcomes:
            batches: dict[int, Batch] = {}
            for index, given in outcomes.items():
                try:
                    batches[index] = _batch(flows[index].send(given))  # type: ignore[arg-type]
                except StopIteration as end:
                    results[index] = end.value
            outcomes = (yield from _round(batches)) if batches else {}
    finally:
        for flow in flows:
            flow.close()
    return [results[index] for index in range(len(flows))]


def _batch(wanted: Batch | Many) -> Batch:
    if isinstance(wanted, Many):
        raise TypeError("flows that begin others cannot be gathered")
    return wanted


def _round(batches: dict[int, Batch]) -> Flow[dict[int, Sequence[Outcome] | None]]:
    """Carry out one batch of each flow together and deal the outcomes out."""
    owners = {c.effect_id: batch for batch in batches.values() for c in batch.commands}
    answers = iter(
        (
            yield Batch(
                tuple(command for batch in batches.values() for command in batch.commands),
                lambda command, outcome: owners[command.effect_id].observe(command, outcome),
                full=any(batch.full for batch in batches.values()),
                needless=lambda: [
                    effect for batch in batches.values() if batch.needless for effect in batch.needless()
                ],
            )
        )
    )
    return {index: [next(answers) for _ in batch.commands] for index, batch in batches.items()}
