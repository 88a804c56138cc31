"""One conversation with the model: begun, asked once or twice, never resumed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import attrs

from gepa_codex.config import CodexProposerConfig
from gepa_codex.failures import CodexError, Verdict, turn_failure
from gepa_codex.modes import MODES
from gepa_codex.prompt import BASE_INSTRUCTIONS
from gepa_codex.server import AppServer
from gepa_codex.settings import PROVIDER
from gepa_codex.transcript import Transcript
from gepa_codex.turn import Turn
from gepa_codex.usage import TokenMeter

#: How long codex may take to obey an interrupt before it is ended.
INTERRUPT_SECONDS: Final = 5.0


@attrs.frozen
class Reply:
    """What was answered.

    Attributes:
        text: The final message.
        model: The model that codex says has answered; ``None`` where it does not say.
    """

    text: str
    model: str | None


@attrs.frozen
class Conversation:
    """A thread of an app-server.

    Attributes:
        server: Where it takes place.
        config: The proposer's table.
        thread_id: Codex' name for it.
        meter: Counts its tokens.
        transcript: Hears all of it.
        model: The model that codex says it asks; ``None`` where it does not say.
    """

    server: AppServer
    config: CodexProposerConfig
    thread_id: str
    meter: TokenMeter
    transcript: Transcript
    model: str | None = None

    @classmethod
    async def begin(
        cls,
        server: AppServer,
        config: CodexProposerConfig,
        cwd: str,
        meter: TokenMeter,
        transcript: Transcript,
    ) -> Conversation:
        """Begin a conversation.

        Raises:
            CodexError: The server refuses, or is gone.
        """
        params = _thread_params(config, cwd)
        transcript.write("sent", "thread/start", params)
        result = await server.request("thread/start", params, config.request_timeout_seconds)
        thread = result.get("thread")
        thread_id = thread.get("id") if isinstance(thread, Mapping) else None
        if not isinstance(thread_id, str):
            raise CodexError("codex began a conversation without an id", Verdict.ONCE)
        model = result.get("model")
        known = model if isinstance(model, str) and model else None
        return cls(server, config, thread_id, meter, transcript, known)

    async def ask(self, text: str, schema: Mapping[str, Any]) -> Reply:
        """Put a question and give the final message.

        Args:
            text: The question.
            schema: What the answer has to look like; codex passes it on and does not check it.

        Raises:
            CodexError: There was no answer.
        """
        turn = Turn(self.thread_id, self.meter, self.transcript)
        with self.server.subscribed(self.thread_id, turn):
            try:
                await self._start(turn, text, schema)
                ended = await self._wait(turn)
            except asyncio.CancelledError:
                await self._interrupt(turn)
                raise
        return Reply(self._answer(turn, ended), turn.rerouted or self.model)

    async def _start(self, turn: Turn, text: str, schema: Mapping[str, Any]) -> None:
        params = self._turn_params(text, schema)
        self.transcript.write("sent", "turn/start", params)
        result = await self.server.request("turn/start", params, self.config.request_timeout_seconds)
        turn.begun(result.get("turn"))

    async def _wait(self, turn: Turn) -> Mapping[str, Any]:
        try:
            return await turn.wait(self.config.timeout_seconds, self.config.message_stall_timeout_seconds)
        except CodexError:
            self.meter.incomplete = True
            await self._interrupt(turn)
            raise

    async def _interrupt(self, turn: Turn) -> None:
        """Stop the turn, so that no more is spent on it; a server that does not obey is ended."""
        if not self.server.usable:
            return
        obeyed = False
        try:
            async with asyncio.timeout(INTERRUPT_SECONDS):
                params = {"threadId": self.thread_id, "turnId": await turn.started()}
                await self.server.request("turn/interrupt", params, INTERRUPT_SECONDS)
            obeyed = await turn.over_within(INTERRUPT_SECONDS)
        except (TimeoutError, CodexError) as error:
            self.transcript.write("note", "turn/interrupt", {"failed": str(error)})
        finally:
            # Also when the waiting itself is cancelled: the turn must not go on unheard.
            self.server.unhealthy |= not obeyed

    def _turn_params(self, text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
        params = {
            "threadId": self.thread_id,
            "input": [{"type": "text", "text": text}],
            "outputSchema": schema,
            "effort": self.config.reasoning_effort,
            "serviceTier": self.config.service_tier,
        }
        return {name: value for name, value in params.items() if value is not None}

    def _answer(self, turn: Turn, ended: Mapping[str, Any]) -> str:
        status, error = ended.get("status"), ended.get("error")
        if status == "failed":
            self.meter.incomplete = True
            raise turn_failure(
                error if isinstance(error, Mapping) else None, key_variable=self.config.key_variable
            )
        if status != "completed":
            raise CodexError(f"the model's turn ended as {str(status)[:80]!r}", Verdict.ONCE)
        if turn.answer is None:
            raise CodexError("the model's turn ended without a final message", Verdict.RETRY)
        return turn.answer


def _thread_params(config: CodexProposerConfig, cwd: str) -> dict[str, Any]:
    return {
        "cwd": cwd,
        "ephemeral": True,
        "approvalPolicy": "never",
        "sandbox": "read-only",
        "model": config.model,
        "modelProvider": PROVIDER,
        "baseInstructions": config.base_instructions or BASE_INSTRUCTIONS,
        **MODES[config.mode].thread_options(),
    }
