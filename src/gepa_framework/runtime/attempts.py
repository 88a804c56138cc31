"""Attempts at a rollout: again where it may help, patiently where the container has too much to do."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Final

import attrs

from gepa_framework.engine import Rollout
from gepa_framework.errors import ContainerGoneError
from gepa_framework.runtime.calling import Caller
from gepa_framework.runtime.limits import NoAnswerError
from gepa_framework.runtime.world import World
from gepa_framework.types import (
    FailureKind,
    RolloutFailure,
    RolloutOutcome,
    RolloutRequest,
    RolloutResult,
)
from gepa_framework.workspace import FAILPOINTS

#: The code of a failure that says that nobody answered at all.
UNREACHABLE: Final = "connect"
#: The least first wait after an overload, whatever is configured: nobody hammers a container in need.
_LEAST_BACKOFF: Final = 0.05


@attrs.define(eq=False)
class _Place:
    """A place behind the gate; two are never equal."""

    epoch: int


class Attempts:
    """Runs rollouts.

    Args:
        world: The plugins.
        caller: Calls them.
    """

    def __init__(self, world: World, caller: Caller) -> None:
        self._world = world
        self._caller = caller
        self._superseded: dict[str, list[RolloutFailure]] = {}
        self._places: dict[str, _Place] = {}

    def lose(self, effect_id: str) -> None:
        """Give the place behind the gate away of a rollout whose attempt cannot be stopped, if it has one.

        Whatever the attempt comes to says nothing to the gate any more, and no other follows it.
        """
        if (place := self._places.pop(effect_id, None)) is not None:
            self._world.gate.leave(place.epoch, None)

    def given_up(self, effect_id: str) -> tuple[RolloutFailure, tuple[RolloutFailure, ...]]:
        """Give what a rollout comes to whose attempt never ends, and the attempts before it."""
        return self._no_answer(), tuple(self._superseded.pop(effect_id, ()))

    async def run(
        self, command: Rollout, *, again: bool
    ) -> tuple[RolloutOutcome, tuple[RolloutFailure, ...]]:
        """Run a rollout to its end; give the outcome, and the failed attempts before it, oldest first.

        Args:
            command: What to run.
            again: It may have been under way when the process died.

        Raises:
            ContainerGoneError: There is no container any more.
        """
        outcome, overload = await self._attempt(command, 1, again=again)
        if isinstance(outcome, RolloutResult):
            return outcome, ()
        superseded = self._superseded[command.effect_id] = []
        try:
            outcome = await self._try_again(command, outcome, superseded, overload=overload)
        finally:
            self._superseded.pop(command.effect_id, None)
        if isinstance(outcome, RolloutFailure) and outcome.code == UNREACHABLE:
            raise ContainerGoneError(
                f"the container cannot be reached: {outcome.message}",
                hint="start it again, then resume the run; nothing that was recorded is lost",
            )
        return outcome, tuple(superseded)

    async def _try_again(
        self, command: Rollout, outcome: RolloutOutcome, superseded: list[RolloutFailure], *, overload: bool
    ) -> RolloutOutcome:
        retry, clock = self._world.retry, asyncio.get_running_loop().time
        blameless, patient_until = 0, clock() + retry.patience_seconds
        # Ends with a result, with the attempts that count, or with the patience for those that do not.
        while isinstance(outcome, RolloutFailure):
            attempt = len(superseded) + 1
            wait: float | None
            if overload and outcome.retryable and clock() < patient_until:
                blameless += 1
                wait = retry.pause(outcome, blameless, least=_LEAST_BACKOFF)
            else:
                wait = retry.wait(outcome, attempt - blameless)
            if wait is None:
                break
            superseded.append(self._caller.discreet(outcome))
            await asyncio.sleep(wait)
            FAILPOINTS.passed("before_retry")
            outcome, overload = await self._attempt(command, attempt + 1, again=False)
            FAILPOINTS.passed("after_retry")
        return outcome

    async def _attempt(self, command: Rollout, attempt: int, *, again: bool) -> tuple[RolloutOutcome, bool]:
        """Give what an attempt came to, and whether it was refused for overload, for no fault of its own."""
        gate = self._world.gate
        epoch = gate.enter_at_once()
        place = self._places[command.effect_id] = _Place(await gate.enter() if epoch is None else epoch)
        outcome: RolloutOutcome | None = None
        overload = False
        try:
            outcome = await self._ask(command, attempt, again=again)
        finally:
            if has_place := self._places.get(command.effect_id) is place:
                del self._places[command.effect_id]
                overload = gate.leave(place.epoch, outcome)
        if not has_place and isinstance(outcome, RolloutFailure):
            # The run went on without it: another attempt would be paid for and be nobody's.
            raise asyncio.CancelledError
        return outcome, overload

    async def _ask(self, command: Rollout, attempt: int, *, again: bool) -> RolloutOutcome:
        request = RolloutRequest(
            rollout_id=rollout_id(self._world.run_id, command.effect_id, attempt),
            candidate=command.candidate,
            row=command.row,
            stage=command.stage,
            task_id=command.task_id,
            policy=self._world.policy,
            poll_first=again,
        )
        try:
            outcome = await self._caller.call(
                self._world.transport.rollout, self._world.limits.rollout, request
            )
        except NoAnswerError:
            return self._no_answer()
        except ContainerGoneError as error:
            raise ContainerGoneError(self._world.redact(error.message), hint=error.hint) from None
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises harms this rollout only
            return RolloutFailure(
                FailureKind.TRANSPORT, "plugin_raised", self._caller.blame("transport", error)
            )
        if type(outcome) is not RolloutResult and not isinstance(outcome, RolloutResult | RolloutFailure):
            message = f"{self._world.owner('transport')} gave {type(outcome).__name__} for a rollout"
            return RolloutFailure(FailureKind.CONTRACT, "wrong_type", message)
        return outcome

    def _no_answer(self) -> RolloutFailure:
        owner, seconds = self._world.owner("transport"), self._world.limits.rollout
        message = f"{owner} has not answered within {seconds:g} s and was stopped"
        return RolloutFailure(FailureKind.TIMEOUT, "no_answer", message)


def rollout_id(run_id: str, effect_id: str, attempt: int) -> str:
    """Give the id that a container may tell a repeated rollout by."""
    text = f"{run_id}\x1f{effect_id}\x1f{attempt}"
    return "gepa_" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]
