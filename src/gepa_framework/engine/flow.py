"""Flows: the algorithm as generators that yield batches of commands and are sent their outcomes.

A flow never waits and never looks at the world. It reads like the algorithm it is, and the machine that
drives it may hold it still for as long as it likes between two batches.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TypeAlias, TypeVar

import attrs

from gepa_framework.engine.effects import Command, Outcome
from gepa_framework.types import StopReason

T = TypeVar("T")


def _ignore(_command: Command, _outcome: Outcome) -> None:
    pass


@attrs.frozen
class Batch:
    """Commands that may be carried out side by side.

    Attributes:
        commands: Each with an effect id of its own.
        observe: Called with each command and its outcome in the order of the commands, as soon as all
            before it are in. Whatever order they complete in, the account of the run is the same.
    """

    commands: tuple[Command, ...]
    observe: Callable[[Command, Outcome], None] = _ignore


Flow: TypeAlias = Generator[Batch, Sequence[Outcome], T]


def ask(command: Command) -> Flow[Outcome]:
    """Carry out one command and give its outcome."""
    (outcome,) = yield Batch((command,))
    return outcome


class SearchStopped(Exception):  # noqa: N818 - a signal, not an error
    """Thrown into the search when it is over in the middle of a batch."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason.kind)
        self.reason = reason
