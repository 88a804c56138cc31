"""One question and its answer, as codex reports it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from gepa_codex.failures import CodexError, ServerGoneError, Verdict
from gepa_codex.transcript import Transcript
from gepa_codex.usage import TokenMeter


class Turn:
    """Collects the notifications of one turn.

    The answer is taken from items that were completed, never from deltas: a stream that broke leaves deltas
    of a message that was never finished.
    """

    def __init__(self, thread_id: str, meter: TokenMeter, transcript: Transcript) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread_id, self._meter, self._transcript = thread_id, meter, transcript
        self._final: str | None = None
        self._unphased: str | None = None
        self._last_sign = self._loop.time()
        self._id = ""
        self._begun, self._over = asyncio.Event(), asyncio.Event()
        self._end: Mapping[str, Any] | ServerGoneError | None = None
        #: The model that the turn was given to in place of the one that was asked for, if it was.
        self.rerouted: str | None = None

    def on_message(self, method: str, params: Mapping[str, Any]) -> None:
        """Take one notification; unknown ones are a sign of life and nothing else."""
        self._last_sign = self._loop.time()
        self._transcript.write("received", method, params)
        if method == "item/completed":
            self._take_item(params.get("item"))
        elif method == "thread/tokenUsage/updated":
            self._take_usage(params.get("tokenUsage"))
        elif method == "error":
            # A call that failed or is tried again is not in the totals.
            self._meter.incomplete = True
        elif method == "model/rerouted":
            self._take_model(params.get("toModel"))
        elif method == "turn/started":
            self.begun(params.get("turn"))
        elif method == "turn/completed":
            self._take_end(params.get("turn"))

    def on_gone(self, error: ServerGoneError) -> None:
        """Fail: nothing more will be heard."""
        self._finish(error)

    def begun(self, turn: object) -> None:
        """Learn the turn's id, from the answer to its request or from a notification."""
        if isinstance(turn, Mapping) and isinstance(turn.get("id"), str):
            self._id = turn["id"]
            self._begun.set()

    async def started(self) -> str:
        """Wait until the turn's id is known, and give it."""
        await self._begun.wait()
        return self._id

    def _finish(self, end: Mapping[str, Any] | ServerGoneError) -> None:
        if self._end is None:
            self._end = end
            self._over.set()

    def _take_item(self, item: object) -> None:
        if not isinstance(item, Mapping) or item.get("type") != "agentMessage":
            return
        text, phase = item.get("text"), item.get("phase")
        if isinstance(text, str) and phase == "final_answer":
            self._final = text
        elif isinstance(text, str) and phase is None:
            self._unphased = text

    def _take_model(self, model: object) -> None:
        if isinstance(model, str) and model:
            self.rerouted = model

    def _take_usage(self, usage: object) -> None:
        total = usage.get("total") if isinstance(usage, Mapping) else None
        if isinstance(total, Mapping):
            self._meter.update(self._thread_id, total)

    def _take_end(self, turn: object) -> None:
        if not isinstance(turn, Mapping):
            return
        items = turn.get("items")
        for item in items if isinstance(items, list) else ():
            self._take_item(item)
        self._finish(turn)

    async def wait(self, seconds: float, stall_seconds: float) -> Mapping[str, Any]:
        """Wait for the end and give the turn as codex describes it.

        Args:
            seconds: How long the turn may take.
            stall_seconds: How long it may go without a sign of life.

        Raises:
            CodexError: It took too long, went silent, or the server is gone.
        """
        deadline = self._loop.time() + seconds
        while self._end is None:
            now, silence_ends = self._loop.time(), self._last_sign + stall_seconds
            if now >= deadline:
                raise _too_long(f"it took longer than {seconds:g} s", "timeout_seconds")
            if now >= silence_ends:
                raise _too_long(f"it was silent for {stall_seconds:g} s", "message_stall_timeout_seconds")
            await self.over_within(min(deadline, silence_ends) - now)
        if isinstance(self._end, ServerGoneError):
            raise self._end
        return self._end

    async def over_within(self, seconds: float) -> bool:
        """Wait a while for the end; tell whether it came."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()
        return self._over.is_set()

    @property
    def answer(self) -> str | None:
        """The final message, where there was one."""
        return self._unphased if self._final is None else self._final


def _too_long(what: str, field: str) -> CodexError:
    return CodexError(
        f"the model's turn would {what}", Verdict.RETRY, hint=f"raise proposer.{field} if that is normal"
    )
