"""Lanes: which commands may begin now, and which wait for a place."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from gepa_framework.engine.effects import Command, Propose, Rollout
from gepa_framework.errors import InvariantError
from gepa_framework.types import Stage

PROPOSE: Final = "propose"
ROLLOUT: Final = "rollout"
SETUP: Final = "setup"
LANES: Final = (SETUP, PROPOSE, ROLLOUT)
#: So many minibatch rollouts in a row may begin before a full evaluation that waits.
OVERTAKES: Final = 3


def _queue() -> OrderedDict[str, Command]:
    # Withdrawn from anywhere, begun from the front: both at a cost that does not grow with its length.
    return OrderedDict()


@attrs.define(eq=False)
class _Lane:
    """One lane: what is urgent goes first, but does not keep the rest from ever going."""

    width: int
    busy: int = 0
    overtaken: int = 0
    urgent: OrderedDict[str, Command] = attrs.field(factory=_queue)
    patient: OrderedDict[str, Command] = attrs.field(factory=_queue)

    def next(self) -> tuple[str, Command]:
        """Take the command whose turn it is; one of the queues is not empty."""
        if self.urgent and not (self.patient and self.overtaken >= OVERTAKES):
            self.overtaken = self.overtaken + 1 if self.patient else 0
            return self.urgent.popitem(last=False)
        self.overtaken = 0
        return self.patient.popitem(last=False)


class Lanes:
    """Queues of commands with so many places each: ``propose``, ``rollout`` and ``setup``.

    Commands of a lane begin in the order in which they came, except that rollouts on minibatches, which
    proposers wait for, go before rollouts of full evaluations; after three that did, one of those that
    wait begins all the same. Pure: the same calls give the same answers.

    Args:
        widths: How many commands of each lane may be under way at once; 0 holds a lane.

    Raises:
        InvariantError: A lane is missing or unknown, or a width is negative.
    """

    def __init__(self, widths: Mapping[str, int]) -> None:
        if set(widths) != set(LANES):
            raise InvariantError(f"widths are due for the lanes {', '.join(LANES)}, got {sorted(widths)}")
        self._lanes = {lane: _Lane(_width(lane, widths[lane])) for lane in LANES}
        self._begun: dict[str, _Lane] = {}
        self._waiting = 0

    def offer(self, command: Command) -> None:
        """Have a command wait for its turn.

        Raises:
            InvariantError: One of that effect id waits or is under way.
        """
        queue = self._queue(command)
        name = command.effect_id
        if name in queue or name in self._begun:
            raise InvariantError(f"{name!r} was offered twice")
        queue[name] = command
        self._waiting += 1

    def _queue(self, command: Command) -> OrderedDict[str, Command]:
        if isinstance(command, Rollout):
            lane, stage = self._lanes[ROLLOUT], command.stage
            return lane.urgent if stage is Stage.PARENT or stage is Stage.CHILD else lane.patient
        return self._lanes[PROPOSE if isinstance(command, Propose) else SETUP].urgent

    @property
    def any_waiting(self) -> bool:
        """Whether a command of any lane waits."""
        return self._waiting > 0

    def begin(self, most: int | None = None) -> list[Command]:
        """Give the commands that may begin now, in the order in which they do; they are under way then.

        Args:
            most: How many to give at the most; all where ``None``.
        """
        commands: list[Command] = []
        if not self._waiting:
            return commands  # the usual answer, as it is asked for whenever a command ends
        for lane in self._lanes.values():
            while lane.busy < lane.width and (lane.urgent or lane.patient) and len(commands) != most:
                name, command = lane.next()
                lane.busy += 1
                self._begun[name] = lane
                commands.append(command)
        self._waiting -= len(commands)
        return commands

    def end(self, effect_id: str) -> None:
        """Give back the place of a command that was under way.

        Raises:
            InvariantError: It was not.
        """
        lane = self._begun.pop(effect_id, None)
        if lane is None:
            raise InvariantError(f"{effect_id!r} ended and was not under way")
        lane.busy -= 1

    def withdraw(self, effect_ids: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Forget commands that wait, and tell which are under way.

        Those under way keep their places until they are told to have ended. Ids that are neither are in
        neither answer.

        Returns:
            The ids under way and the ids that waited, each in the order of `effect_ids`.
        """
        begun: list[str] = []
        waiting: list[str] = []
        for name in effect_ids:
            if name in self._begun:
                begun.append(name)
            elif self._forget(name):
                self._waiting -= 1
                waiting.append(name)
        return tuple(begun), tuple(waiting)

    def _forget(self, name: str) -> bool:
        return any(
            queue.pop(name, None) is not None
            for lane in self._lanes.values()
            for queue in (lane.urgent, lane.patient)
        )

    def resize(self, lane: str, width: int) -> None:
        """Set how many commands of a lane may be under way at once; those that are, stay.

        Raises:
            InvariantError: The lane is unknown, or the width is negative.
        """
        self._lane(lane).width = _width(lane, width)

    def busy(self, lane: str) -> int:
        """Give how many commands of a lane are under way.

        Raises:
            InvariantError: The lane is unknown.
        """
        return self._lane(lane).busy

    def waiting(self, lane: str) -> int:
        """Give how many commands of a lane wait.

        Raises:
            InvariantError: The lane is unknown.
        """
        found = self._lane(lane)
        return len(found.urgent) + len(found.patient)

    def _lane(self, name: str) -> _Lane:
        try:
            return self._lanes[name]
        except KeyError:
            raise InvariantError(f"there is no lane {name!r}, only {', '.join(LANES)}") from None


def _width(lane: str, width: int) -> int:
    if width < 0:
        raise InvariantError(f"a lane cannot be narrower than nothing: {lane} = {width}")
    return width
