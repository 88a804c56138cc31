"""Carrying commands out: cache first, then the plugin, with its failures turned into data."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, TypeVar

import attrs

from gepa_framework.engine import (
    Command,
    Describe,
    LoadProgram,
    LoadRows,
    Outcome,
    ProposalFailure,
    Propose,
    Rollout,
)
from gepa_framework.errors import (
    ContainerContractError,
    GepaError,
    PluginBrokenError,
    ProposerError,
    TransportError,
)
from gepa_framework.runtime.attempts import Attempts
from gepa_framework.runtime.bounds import bounded
from gepa_framework.runtime.caching import CacheMode, EffectCache
from gepa_framework.runtime.calling import TELL, Caller
from gepa_framework.runtime.foreign import FOREIGN, asked_to_stop
from gepa_framework.runtime.limits import NoAnswerError
from gepa_framework.runtime.requests import RequestDigests
from gepa_framework.runtime.world import World
from gepa_framework.types import (
    UNKNOWN,
    ContainerInfo,
    FailureKind,
    Preflight,
    Program,
    Proposal,
    RolloutFailure,
    RolloutResult,
    TaskRow,
    Usage,
)
from gepa_framework.types.copies import own_copy
from gepa_framework.types.json import nested_deeper
from gepa_framework.workspace import FAILPOINTS, Encoded, decode_outcome, encode_outcome, is_exact

T = TypeVar("T")
#: Deeper nesting is no data; it would exhaust the stack of whoever walks it.
MAX_DEPTH = 128


@attrs.define(eq=False)
class Performed:
    """A command that was carried out; one is made for every rollout, so it is light.

    Attributes:
        outcome: What came of it.
        encoded: The outcome as the journal keeps it.
        request_digest: What was semantically asked.
        superseded: Failed attempts before it, oldest first.
        access: How the cache was used, as `Record` has it.
        owed: The command, where the cache is to keep what came of it once that is on record.
        trouble: What the cache had to complain about.
    """

    outcome: Outcome
    encoded: Encoded
    request_digest: str
    superseded: tuple[RolloutFailure, ...] = ()
    access: str | None = None
    owed: Command | None = None
    trouble: GepaError | None = None


class Performer:
    """Turns commands into outcomes.

    Args:
        world: The plugins.
        cache: Answers that are known.
        requests: What commands ask, as digests.
    """

    def __init__(self, world: World, cache: EffectCache, requests: RequestDigests) -> None:
        self._world = world
        self.cache = cache
        self._requests = requests
        self._caller = Caller(world)
        self._attempts = Attempts(world, self._caller)

    def attach(
        self, *, resized: Callable[[int], None], silent: Callable[[asyncio.Task[Any]], object]
    ) -> None:
        """Say who is told that the container bears another number of rollouts, and of calls that never end.

        Args:
            resized: Given the number of rollouts at once, now and whenever it changes.
            silent: Given the task of a call that took too long and could not be stopped.
        """
        self._caller.watch.silent = silent
        self._world.gate.resized = resized
        resized(self._world.gate.width)

    async def preflight(self) -> None:
        """Have the plugins look for what they need; the cache alone, if everything is to come from it.

        Raises:
            GepaError: Something is missing.
        """
        world = (("proposer", self._world.proposer), ("transport", self._world.transport))
        for name, plugin in (
            ("cache", self.cache.plugin),
            *(world if self.cache.mode is not CacheMode.READONLY else ()),
        ):
            if not isinstance(plugin, Preflight):
                continue
            try:
                async with asyncio.timeout(self._world.limits.other) as limit:
                    await plugin.preflight()
            except GepaError:
                raise
            except FOREIGN as error:
                if isinstance(error, asyncio.CancelledError) and asked_to_stop():
                    raise
                late = isinstance(error, TimeoutError) and limit.expired()
                raise (self._late(name) if late else self._raised(name, error)) from error

    async def perform(self, command: Command, *, again: bool) -> Performed:
        """Carry out one command.

        Args:
            command: What to do.
            again: It may have been under way when the process died.

        Raises:
            ContainerGoneError: There is no container any more.
            GepaError: A set-up effect failed, or the cache could not be asked.
        """
        key, caching = self._requests.key(command), self.cache.mode is not CacheMode.OFF
        known = None
        if caching:
            boundary, outline = self._requests.boundary(command), self._requests.outline
            known = await self.cache.get(boundary, key, lambda: outline(command))
        superseded: tuple[RolloutFailure, ...] = ()
        access = None
        if known is not None:
            outcome, access = known, "hit"
        elif isinstance(command, Rollout):
            outcome, superseded = await self._attempts.run(command, again=again)
        elif isinstance(command, Propose):
            outcome = await self._propose(command)
        else:
            outcome = await self._setup(command)
        if type(outcome) is not RolloutResult and isinstance(outcome, RolloutFailure | ProposalFailure):
            outcome = self._caller.discreet(outcome)
        outcome, encoded = _encode(command, bounded(outcome))
        done = Performed(outcome, encoded, key, superseded, access)
        if caching and known is None:
            done.access = "miss"
            if self._worth_keeping(outcome):
                done.access, done.owed = "write", command
                # It does not know of failed attempts: asked after a crash, it would have them forgotten.
                if not superseded:
                    await self.keep(done)
        return done

    async def keep(self, done: Performed) -> None:
        """Have the cache keep an outcome; its complaints cost nobody the outcome."""
        command, done.owed = done.owed, None
        if command is None:
            return
        boundary, outline = self._requests.boundary(command), self._requests.outline(command)
        try:
            await self.cache.put(boundary, done.request_digest, done.outcome, outline)
        except GepaError as error:
            done.trouble = error

    def _worth_keeping(self, outcome: Outcome) -> bool:
        if isinstance(outcome, RolloutFailure | ProposalFailure):
            return False  # the next run deserves another try
        substituted = isinstance(outcome, Proposal) and outcome.substituted
        # The model that was asked for may answer the next run; this one refuses what another said.
        return self._world.keep_substituted or not substituted

    def no_answer(self, command: Command) -> Performed:
        """Give the failure that a command comes to whose call never ends.

        Raises:
            TransportError: It is a set-up call.
        """
        outcome: Outcome
        superseded: tuple[RolloutFailure, ...] = ()
        if isinstance(command, Rollout):
            outcome, superseded = self._attempts.given_up(command.effect_id)
        elif isinstance(command, Propose):
            outcome = self._no_proposal()
        else:
            raise self._late("transport")
        return Performed(*_encode(command, outcome), self._requests.key(command), superseded)

    def lose(self, command: Command) -> None:
        """Hold nothing back any more for a command whose call cannot be stopped."""
        if isinstance(command, Rollout):
            self._attempts.lose(command.effect_id)

    async def _setup(self, command: Describe | LoadProgram | LoadRows) -> Outcome:
        transport, seconds = self._world.transport, self._world.limits.other
        try:
            if isinstance(command, Describe):
                return self._expect(ContainerInfo, await self._caller.call(transport.describe, seconds))
            if isinstance(command, LoadProgram):
                return self._expect(Program, await self._caller.call(transport.program, seconds))
            wanted = command.request
            rows = tuple(await self._caller.call(transport.rows, seconds, wanted))
            return _checked(command, tuple(self._expect(TaskRow, row) for row in rows))
        except NoAnswerError:
            raise self._late("transport") from None
        except GepaError:
            raise
        except Exception as error:
            raise self._raised("transport", error) from error

    async def _propose(self, command: Propose) -> Proposal | ProposalFailure:
        try:
            FAILPOINTS.passed("before_proposal")
            # The request is part of the run's state; what a proposer does to its own is no matter.
            request = own_copy(command.request)
            proposal = await self._caller.call(
                self._world.proposer.propose, self._world.limits.other, request
            )
            FAILPOINTS.passed("after_proposal")
        except NoAnswerError:
            return self._no_proposal()
        except ProposerError as error:
            usage = error.usage
            return ProposalFailure(
                error.error_code, str(error), usage if isinstance(usage, Usage) else UNKNOWN
            )
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises costs this proposal only
            return ProposalFailure("plugin_raised", self._caller.blame("proposer", error))
        if not isinstance(proposal, Proposal):
            said = type(proposal).__name__
            return ProposalFailure(
                "wrong_type", f"{self._world.owner('proposer')} gave {said} where Proposal was due"
            )
        return proposal

    def _late(self, name: str) -> TransportError:
        return TransportError(
            f"{self._owner(name)} has not answered within {self._world.limits.other:g} s",
            hint="see what it waits for, or raise gepa.call_timeout_seconds",
        )

    def _raised(self, name: str, error: BaseException) -> PluginBrokenError:
        text = self._world.redact(f"{self._owner(name)} raised {type(error).__name__}: {error}")
        return PluginBrokenError(text, hint=TELL)

    def _owner(self, name: str) -> str:
        return self.cache.owner if name == "cache" else self._world.owner(name)

    def _no_proposal(self) -> ProposalFailure:
        owner, seconds = self._world.owner("proposer"), self._world.limits.other
        message = f"{owner} has not answered within {seconds:g} s (gepa.call_timeout_seconds) and was stopped"
        return ProposalFailure("no_answer", message)

    def _expect(self, kind: type[T], value: object) -> T:
        if not isinstance(value, kind):
            told = (
                f"{self._world.owner('transport')} gave {type(value).__name__} where {kind.__name__} was due"
            )
            raise PluginBrokenError(told, hint=TELL)
        return value


def _checked(command: LoadRows, rows: tuple[TaskRow, ...]) -> tuple[TaskRow, ...]:
    if len(rows) != len(command.request):
        raise ContainerContractError(
            f"{len(command.request)} rows of split {command.request.split!r} were asked for "
            f"and {len(rows)} came"
        )
    if len({row.id for row in rows}) != len(rows):
        raise ContainerContractError(f"split {command.request.split!r} has two rows of one id")
    return rows


def _encode(command: Command, outcome: Outcome) -> tuple[Outcome, Encoded]:
    """Encode an outcome; one that is not JSON becomes the failure that it is."""
    try:
        return _journalled(outcome, command.effect_id)
    except (TypeError, ValueError, RecursionError) as error:
        failure: Outcome
        if isinstance(command, Rollout):
            failure = RolloutFailure(FailureKind.CONTRACT, "not_json", f"the answer is not JSON: {error}")
        elif isinstance(command, Propose):
            failure = ProposalFailure("not_json", f"the proposal is not JSON: {error}")
        else:
            raise ContainerContractError(f"{command.effect_id} is not JSON: {error}") from error
        return failure, encode_outcome(failure, command.effect_id)


def _journalled(outcome: Outcome, effect_id: str) -> tuple[Outcome, Encoded]:
    """Give the outcome as the journal holds it, so that a replay is fed the same to the last detail."""
    encoded = encode_outcome(outcome, effect_id)
    # Without more brackets than levels there is nothing to measure: the usual case, and it is quick.
    brackets = encoded.payload.count("[") + encoded.payload.count("{")
    if brackets > MAX_DEPTH and nested_deeper(json.loads(encoded.payload), MAX_DEPTH):
        raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")
    # Two lone surrogates in a row are escapes that are read back as one character.
    if is_exact(outcome) and "\\ud" not in encoded.payload:
        return outcome, encoded
    return decode_outcome(encoded.kind, encoded.payload), encoded
