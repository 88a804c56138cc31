"""Calling plugins: each call within its time, and what it raises made fit for the record."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable
from functools import partial
from inspect import isawaitable
from types import CoroutineType
from typing import TypeVar, TypeVarTuple

import attrs

from gepa_framework.engine import ProposalFailure
from gepa_framework.errors import PluginBrokenError
from gepa_framework.runtime.limits import NoAnswerError, Watch
from gepa_framework.runtime.world import World
from gepa_framework.types import Executor, RolloutFailure

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
F = TypeVar("F", bound=RolloutFailure | ProposalFailure)
TELL = "report it to its authors"
_LOGGER = logging.getLogger(__name__)


class Caller:
    """Calls plugins.

    Args:
        world: The plugins.
    """

    def __init__(self, world: World) -> None:
        self._executor = world.executor
        self._owner = world.owner
        self._redact = world.redact
        self._blamed: set[str] = set()
        self.watch = Watch(world.limits.grace)

    async def call(self, call: Callable[[*Ts], Awaitable[T]], seconds: float, *given: *Ts) -> T:
        """Call a plugin with what it is given.

        Raises:
            NoAnswerError: It took too long.
            PluginBrokenError: It cancelled itself, tried to end the process, or gave nothing to wait for; or
                the executor failed.
            Exception: Whatever the plugin raises.
        """
        executor = self._executor
        watched = self.watch.begin(seconds)
        try:
            awaited = call(*given) if executor is None else self._submitted(executor, partial(call, *given))
            if type(awaited) is not CoroutineType and not isawaitable(awaited):
                raise PluginBrokenError(
                    f"the call gave {type(awaited).__name__} at once",
                    hint="somebody waits for it: use async def",
                )
            return await awaited
        except asyncio.CancelledError:
            asked = watched.task.cancelling()
            if watched.overdue and asked == 1:
                raise NoAnswerError(f"no answer came within {seconds:g} s") from None
            if asked:
                raise
            # Nobody asked for it: left alone, it would end the worker and the run would wait for ever.
            raise PluginBrokenError("the call was cancelled from within") from None
        except SystemExit as error:
            raise PluginBrokenError(f"the call tried to end the process: SystemExit: {error}") from error
        finally:
            self.watch.end(watched)

    async def _submitted(self, executor: Executor, call: Callable[[], Awaitable[T]]) -> T:
        """Have an executor run a call, and tell its own trouble from that of the call."""
        raised: list[BaseException] = []
        given: list[T] = []

        async def watched() -> T:
            try:
                given.append(await call())
            except BaseException as error:
                raised.append(error)
                raise
            return given[0]

        try:
            answer = await executor.submit(watched)
        except (Exception, SystemExit) as error:
            if raised:
                raise
            told = f"{self._owner('executor')} raised {type(error).__name__}: {error}"
            raise PluginBrokenError(told, hint=TELL) from error
        if not given or answer is not given[0]:
            told = f"{self._owner('executor')} gave {type(answer).__name__} and not what the call gave"
            raise PluginBrokenError(told, hint=TELL)
        return answer

    def blame(self, name: str, error: Exception) -> str:
        """Word what a plugin raised. Where it did so is logged, because events hold no paths."""
        owner = self._owner(name)
        place = _place(error.__cause__ if isinstance(error.__cause__, SystemExit) else error)
        if place not in self._blamed:
            self._blamed.add(place)
            kind = type(error).__name__
            _LOGGER.warning("%s raised %s at %s; -v shows the traceback", owner, kind, place, exc_info=error)
        return f"{owner} raised {type(error).__name__}: {error}"

    def discreet(self, failure: F) -> F:
        """Give a failure without secrets."""
        return attrs.evolve(failure, message=self._redact(failure.message))


def _place(error: BaseException) -> str:
    """Give file and line of the innermost frame."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename}:{frame.lineno}"
