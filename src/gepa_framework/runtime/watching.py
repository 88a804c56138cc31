"""Telling listeners of effects: when each began and ended, beside the journal and without a part in it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

import attrs

from gepa_framework.engine import (
    Command,
    Describe,
    LoadProgram,
    ProposalFailure,
    Propose,
    Rollout,
)
from gepa_framework.runtime.listening import Hub
from gepa_framework.types import Effect, EffectKind, Proposal, RolloutFailure, RolloutResult
from gepa_framework.workspace import Record

T = TypeVar("T")


@attrs.define(eq=False)
class _Times:
    command: Command
    began_ns: int
    clock_ns: int
    took_ns: int | None = None


class EffectWatch:
    """Takes the times of effects, where a listener asks for them; costs nothing where none does.

    Args:
        hub: Told of each effect once it is on record.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._times: dict[str, _Times] = {}

    def timed(self, work: Callable[[Command], Awaitable[T]]) -> Callable[[Command], Awaitable[T]]:
        """Give the work as it is, or one that takes its time besides."""
        if not self._hub.watchers:
            return work

        async def timed(command: Command) -> T:
            clock = time.monotonic_ns()
            times = self._times[command.effect_id] = _Times(command, time.time_ns(), clock)
            try:
                return await work(command)
            finally:
                times.took_ns = time.monotonic_ns() - clock

        return timed

    def tell(self, records: Sequence[Record]) -> None:
        """Tell of the effects whose outcomes have just been written.

        Raises:
            PluginBrokenError: A listener with ``on_error = "stop"`` raised.
        """
        if not self._times:
            return
        effects = []
        for record in records:
            name = record.given.effect_id
            if name is not None and (times := self._times.pop(name, None)) is not None:
                effects.append(_effect(times, record))
        self._hub.tell(effects)

    def forget(self, effect_ids: Iterable[str]) -> None:
        """Forget effects that nobody waits for any more."""
        for name in effect_ids:
            self._times.pop(name, None)


def _effect(times: _Times, record: Record) -> Effect:
    command = times.command
    # A call that could not even be stopped has not ended: the run took its failure for the outcome.
    took = time.monotonic_ns() - times.clock_ns if times.took_ns is None else times.took_ns
    effect = Effect(
        effect_id=command.effect_id,
        kind=_kind(command),
        began_ns=times.began_ns,
        ended_ns=times.began_ns + took,
        cached=record.access == "hit",
        superseded=record.superseded,
    )
    return _with_outcome(_with_request(effect, command), record.outcome)


def _kind(command: Command) -> EffectKind:
    if isinstance(command, Rollout):
        return EffectKind.ROLLOUT
    if isinstance(command, Propose):
        return EffectKind.PROPOSAL
    if isinstance(command, Describe):
        return EffectKind.DESCRIBE
    return EffectKind.PROGRAM if isinstance(command, LoadProgram) else EffectKind.ROWS


def _with_request(effect: Effect, command: Command) -> Effect:
    if isinstance(command, Rollout):
        return attrs.evolve(
            effect,
            iteration=command.iteration,
            stage=command.stage.value,
            candidate_id=command.candidate.id,
            row_id=command.row.id,
        )
    if isinstance(command, Propose):
        asked = command.request
        return attrs.evolve(effect, iteration=asked.iteration, candidate_id=asked.parent.id)
    return effect


def _with_outcome(effect: Effect, outcome: object) -> Effect:
    if isinstance(outcome, RolloutResult):
        usage = outcome.usage
        return attrs.evolve(effect, reward=outcome.reward, usage=usage, model=usage.model)
    if isinstance(outcome, Proposal):
        return attrs.evolve(
            effect, usage=outcome.usage, model=outcome.model, requested_model=outcome.requested_model
        )
    if isinstance(outcome, RolloutFailure | ProposalFailure):
        return attrs.evolve(
            effect,
            failed=outcome.kind.value if isinstance(outcome, RolloutFailure) else "proposal",
            code=outcome.code,
            message=outcome.message,
            usage=outcome.usage,
            model=outcome.usage.model,
        )
    return effect
