"""Carrying commands out: cache first, then the plugin, with its failures turned into data."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import TypeVar

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
    ContainerGoneError,
    GepaError,
    PluginBrokenError,
    ProposerError,
)
from gepa_framework.runtime.bounds import bounded
from gepa_framework.runtime.caching import CacheMode, EffectCache
from gepa_framework.runtime.requests import RequestDigests
from gepa_framework.runtime.retry import RetryPolicy
from gepa_framework.types import (
    UNKNOWN,
    ContainerInfo,
    Executor,
    FailureKind,
    JSONObject,
    Preflight,
    Program,
    Proposal,
    Proposer,
    RolloutFailure,
    RolloutOutcome,
    RolloutRequest,
    RolloutResult,
    TaskRow,
    Transport,
    Usage,
)
from gepa_framework.types.json import nested_deeper
from gepa_framework.workspace import Encoded, decode_outcome, encode_outcome

T = TypeVar("T")
F = TypeVar("F", bound=RolloutFailure | ProposalFailure)
#: The code of a failure that says that nobody answered at all.
UNREACHABLE = "connect"
_LOGGER = logging.getLogger(__name__)
#: Deeper nesting is no data; it would exhaust the stack of whoever walks it.
MAX_DEPTH = 128


@attrs.frozen
class Performed:
    """A command that was carried out.

    Attributes:
        outcome: What came of it.
        encoded: The outcome as the journal keeps it.
        request_digest: What was semantically asked.
        superseded: Failed attempts before it, oldest first.
    """

    outcome: Outcome
    encoded: Encoded
    request_digest: str
    superseded: tuple[RolloutFailure, ...] = ()


@attrs.frozen
class World:
    """The plugins that commands are carried out with.

    Attributes:
        run_id: What rollout ids are derived from.
        transport: Speaks to the container.
        proposer: Writes candidates.
        executor: Runs the calls; in place where ``None``.
        retry: How failed rollouts are tried again.
        policy: Sent with each rollout.
        redact: Takes secrets out of what plugins say, before it is on record.
        keep_substituted: Whether a proposal of another model than the one asked for is an answer to keep.
    """

    run_id: str
    transport: Transport
    proposer: Proposer
    retry: RetryPolicy
    policy: JSONObject
    executor: Executor | None = None
    redact: Callable[[str], str] = str
    keep_substituted: bool = False


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
        self._blamed: set[str] = set()

    async def preflight(self) -> None:
        """Have the plugins look for what they need, unless everything is to come from the cache.

        Raises:
            GepaError: Something is missing.
        """
        if self.cache.mode is CacheMode.READONLY:
            return
        for name, plugin in (("proposer", self._world.proposer), ("transport", self._world.transport)):
            if not isinstance(plugin, Preflight):
                continue
            try:
                await plugin.preflight()
            except GepaError:
                raise
            except Exception as error:
                raise self._raised(name, error) from error

    async def perform(self, command: Command, *, again: bool) -> Performed:
        """Carry out one command.

        Args:
            command: What to do.
            again: It may have been under way when the process died.

        Raises:
            ContainerGoneError: There is no container any more.
            GepaError: A set-up effect failed, or the cache did.
        """
        boundary, key = self._requests.boundary(command), self._requests.key(command)
        known = await self.cache.get(boundary, key)
        superseded: tuple[RolloutFailure, ...] = ()
        if known is not None:
            outcome = known
        elif isinstance(command, Rollout):
            outcome, superseded = await self._rollout(command, again=again)
        elif isinstance(command, Propose):
            outcome = await self._propose(command)
        else:
            outcome = await self._setup(command)
        if isinstance(outcome, RolloutFailure | ProposalFailure):
            outcome = self._discreet(outcome)
        outcome, encoded = _encode(command, bounded(outcome))
        if known is None and self._worth_keeping(outcome):
            await self.cache.put(boundary, key, outcome)
        return Performed(outcome, encoded, key, superseded)

    def _worth_keeping(self, outcome: Outcome) -> bool:
        substituted = isinstance(outcome, Proposal) and outcome.substituted
        # The model that was asked for may answer the next run; this one refuses what another said.
        return self._world.keep_substituted or not substituted

    async def _call(self, call: Callable[[], Awaitable[T]]) -> T:
        executor = self._world.executor
        try:
            return await (call() if executor is None else executor.submit(call))
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Nobody asked for it: left alone, it would end the worker and the run would wait for ever.
            raise PluginBrokenError("the call was cancelled from within") from None
        except SystemExit as error:
            raise PluginBrokenError(f"the call tried to end the process: SystemExit: {error}") from error

    def _blame(self, name: str, error: Exception) -> str:
        """Word what a plugin raised. Where it did so is logged, because events hold no paths."""
        place = _place(error.__cause__ if isinstance(error.__cause__, SystemExit) else error)
        if place not in self._blamed:
            self._blamed.add(place)
            kind = type(error).__name__
            _LOGGER.warning(
                "the %s raised %s at %s; -v shows the traceback", name, kind, place, exc_info=error
            )
        return f"the {name} raised {type(error).__name__}: {error}"

    async def _setup(self, command: Describe | LoadProgram | LoadRows) -> Outcome:
        transport = self._world.transport
        try:
            if isinstance(command, Describe):
                return _expect(ContainerInfo, await self._call(transport.describe))
            if isinstance(command, LoadProgram):
                return _expect(Program, await self._call(transport.program))
            wanted = command.request
            return _checked(command, tuple(await self._call(lambda: transport.rows(wanted))))
        except GepaError:
            raise
        except Exception as error:
            raise self._raised("transport", error) from error

    async def _rollout(
        self, command: Rollout, *, again: bool
    ) -> tuple[RolloutOutcome, tuple[RolloutFailure, ...]]:
        superseded: list[RolloutFailure] = []
        for attempt in range(1, self._world.retry.attempts + 1):
            outcome = await self._attempt(command, attempt, again=again and attempt == 1)
            if isinstance(outcome, RolloutResult):
                break
            wait = self._world.retry.wait(outcome, attempt)
            if wait is None:
                break
            superseded.append(self._discreet(outcome))
            await asyncio.sleep(wait)
        if isinstance(outcome, RolloutFailure) and outcome.code == UNREACHABLE:
            raise ContainerGoneError(
                f"the container cannot be reached: {outcome.message}",
                hint="start it again, then resume the run; nothing that was recorded is lost",
            )
        return outcome, tuple(superseded)

    async def _attempt(self, command: Rollout, attempt: int, *, again: bool) -> RolloutOutcome:
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
            outcome = await self._call(lambda: self._world.transport.rollout(request))
        except ContainerGoneError as error:
            raise ContainerGoneError(self._world.redact(error.message), hint=error.hint) from None
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises harms this rollout only
            return RolloutFailure(FailureKind.TRANSPORT, "plugin_raised", self._blame("transport", error))
        if not isinstance(outcome, RolloutResult | RolloutFailure):
            message = f"the transport gave {type(outcome).__name__} for a rollout"
            return RolloutFailure(FailureKind.CONTRACT, "wrong_type", message)
        return outcome

    async def _propose(self, command: Propose) -> Proposal | ProposalFailure:
        try:
            proposal = await self._call(lambda: self._world.proposer.propose(command.request))
        except ProposerError as error:
            usage = error.usage
            return ProposalFailure(
                error.error_code, str(error), usage if isinstance(usage, Usage) else UNKNOWN
            )
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises costs this proposal only
            return ProposalFailure("plugin_raised", self._blame("proposer", error))
        if not isinstance(proposal, Proposal):
            said = type(proposal).__name__
            return ProposalFailure("wrong_type", f"the proposer gave {said} where Proposal was due")
        return proposal

    def _discreet(self, failure: F) -> F:
        return attrs.evolve(failure, message=self._world.redact(failure.message))

    def _raised(self, name: str, error: Exception) -> PluginBrokenError:
        text = self._world.redact(f"the {name} raised {type(error).__name__}: {error}")
        return PluginBrokenError(text, hint="report it to its authors")


def rollout_id(run_id: str, effect_id: str, attempt: int) -> str:
    """Give the id that a container may tell a repeated rollout by."""
    text = f"{run_id}\x1f{effect_id}\x1f{attempt}"
    return "gepa_" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _place(error: BaseException) -> str:
    """Give file and line of the innermost frame."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename}:{frame.lineno}"


def _expect(kind: type[T], value: object) -> T:
    if not isinstance(value, kind):
        raise PluginBrokenError(f"the transport gave {type(value).__name__} where {kind.__name__} was due")
    return value


def _checked(command: LoadRows, rows: tuple[TaskRow, ...]) -> tuple[TaskRow, ...]:
    for row in rows:
        _expect(TaskRow, row)
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
    return decode_outcome(encoded.kind, encoded.payload), encoded
