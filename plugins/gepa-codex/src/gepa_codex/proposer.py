"""The proposer: one conversation for each proposal, tried again where that may help."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import attrs

from gepa_codex.answer import Answer, AnswerError, output_schema, parse_answer
from gepa_codex.config import CodexProposerConfig
from gepa_codex.conversation import Conversation
from gepa_codex.failures import CodexError, Verdict
from gepa_codex.home import workspace
from gepa_codex.modes import MODES
from gepa_codex.prompt import EVIDENCE_LIMIT, PROMPT_LIMIT, Prompt, repair_prompt
from gepa_codex.redaction import Redactor
from gepa_codex.supervisor import Supervisor, backoff
from gepa_codex.transcript import FileTranscript, Transcript
from gepa_codex.usage import TokenMeter
from gepa_framework.types import BuildContext, JSONValue, Proposal, ProposalRequest

#: Conversations under way at once; codex drops requests when it is flooded.
_MOST_AT_ONCE: Final = 32
_SHRUNK: Final = EVIDENCE_LIMIT // 4


@attrs.define
class Retries:
    """Decides, failure by failure, whether a proposal is tried again.

    Attributes:
        allowed: Attempts in all.
        made: Attempts made.
        shrunk: Whether the evidence was cut down already.
    """

    allowed: int
    made: int = 0
    shrunk: bool = False

    def again(self, error: CodexError) -> bool:
        """Tell whether to try again after this failure."""
        if error.verdict is Verdict.SHRINK:
            first, self.shrunk = not self.shrunk, True
            return first
        if error.verdict is Verdict.ONCE:
            return self.made < min(self.allowed, 2)
        return error.verdict is Verdict.RETRY and self.made < self.allowed


class CodexProposer:
    """Proposes through a local codex app-server; implements ``gepa_framework.types.Proposer``.

    Args:
        config: The proposer's table.
        context: Where the run is and what may be read.
    """

    def __init__(self, config: CodexProposerConfig, context: BuildContext) -> None:
        self._config, self._context = config, context
        secrets = [context.environ.get(name, "") for name in config.env_passthrough]
        secrets.append(context.environ.get(config.key_variable or "", ""))
        self._redact = Redactor(secrets, context.redact)
        self._supervisor = Supervisor(config, context)
        self._slots = asyncio.Semaphore(_MOST_AT_ONCE)
        self._advice: str | None = None

    async def preflight(self) -> None:
        """Find codex, the key and the advice, and start the app-server that the first proposal needs.

        Raises:
            CodexError: Something is missing; free of secrets.
        """
        try:
            self._check_key()
            self._read_advice()
            async with self._supervisor.lease():
                pass
        except CodexError as error:
            failure = self._without_secrets(error)
        else:
            return
        # Raised outside of any handler, so that no unredacted cause hangs on it.
        raise failure

    def _without_secrets(self, error: CodexError) -> CodexError:
        return CodexError(self._redact(error.message), error.verdict, hint=self._redact(error.hint))

    async def propose(self, request: ProposalRequest) -> Proposal:
        """Ask the model for better texts.

        Raises:
            CodexError: No proposal could be made; free of secrets, with what was spent.
        """
        async with self._slots:
            meter, retries = TokenMeter(), Retries(self._config.attempts)
            while True:
                retries.made += 1
                outcome = await self._attempt(request, meter, retries)
                if isinstance(outcome, Proposal):
                    return outcome
                if not retries.again(outcome) or not self._differs(request, outcome):
                    break
                self._context.logger.warning("proposal %s is tried again: %s", request.proposal_id, outcome)
                await asyncio.sleep(backoff(retries.made))
        # Raised outside of any handler, so that no unredacted cause hangs on it.
        outcome.usage = meter.usage(self._config.model)
        raise outcome

    def _differs(self, request: ProposalRequest, error: CodexError) -> bool:
        """Tell whether the next attempt is another one: less evidence is no cure where there is little."""
        if error.verdict is not Verdict.SHRINK:
            return True
        return self._prompt(request, shrunk=True) != self._prompt(request, shrunk=False)

    async def close(self) -> None:
        """End the app-server and remove its private directory."""
        await self._supervisor.close()

    async def _attempt(
        self, request: ProposalRequest, meter: TokenMeter, retries: Retries
    ) -> Proposal | CodexError:
        try:
            return await self._converse(request, meter, retries)
        except CodexError as error:
            return self._without_secrets(error)

    async def _converse(self, request: ProposalRequest, meter: TokenMeter, retries: Retries) -> Proposal:
        prompt, schema = self._prompt(request, shrunk=retries.shrunk), output_schema(request.components)
        async with self._supervisor.lease() as server:
            setting = self._supervisor.setting
            conversation = await Conversation.begin(
                server, self._config, str(workspace(setting.home)), meter, self._transcript(request)
            )
            reply = await conversation.ask(prompt.text, schema)
            answer, problem = self._check(reply.text, request)
            if answer is None:
                reply = await conversation.ask(repair_prompt(self._redact.exact(problem)), schema)
                answer, second = self._check(reply.text, request)
                if answer is None:
                    message = f"the model's answer could not be used: {problem}; asked again: {second}"
                    raise CodexError(message, Verdict.FATAL)
        facts: dict[str, JSONValue] = {
            "codex_version": setting.facts.version,
            "mode": self._config.mode,
            "attempts": retries.made,
            "repaired": bool(problem),
            "evidence_shown": prompt.shown,
            "evidence_left_out": prompt.left_out,
            **meter.details(),
        }
        return Proposal(
            components=answer.changes,
            rationale=self._redact(answer.rationale),
            usage=meter.usage(reply.model or self._config.model),
            model=reply.model,
            metadata=facts,
            edits=answer.edits,
            requested_model=self._config.model,
        )

    def _check(self, text: str, request: ProposalRequest) -> tuple[Answer | None, str]:
        try:
            answer = parse_answer(text, request.components, request.parent.components, self._redact.found_in)
        except AnswerError as error:
            return None, str(error)
        return answer, ""

    def _prompt(self, request: ProposalRequest, *, shrunk: bool) -> Prompt:
        self._check_key()
        limit = _SHRUNK if shrunk else EVIDENCE_LIMIT
        prompt = MODES[self._config.mode].prompt(request, advice=self._read_advice(), limit=limit)
        if len(prompt.text) > PROMPT_LIMIT:
            raise CodexError(
                f"the prompt would have {len(prompt.text)} characters, codex takes {PROMPT_LIMIT}",
                Verdict.FATAL,
                hint="the texts are too long for mode inline; choose fewer in candidate.target_modules",
            )
        return attrs.evolve(prompt, text=self._redact.exact(prompt.text))

    def _check_key(self) -> None:
        name = self._config.key_variable
        if name is None:
            return
        key = self._context.environ.get(name, "")
        if not key or any(letter.isspace() for letter in key):
            what = "holds white space" if key else "is not set or empty"
            hint = f'export {name}=..., or name another variable in proposer.api_key_env ("" for no key)'
            raise CodexError(f"the environment variable {name} {what}", Verdict.FATAL, hint=hint)

    def _read_advice(self) -> str:
        if self._advice is None:
            self._advice = self._config.advice or ""
            if self._config.advice_path is not None:
                self._advice = _read(self._context.base_dir / self._config.advice_path)
        return self._advice

    def _transcript(self, request: ProposalRequest) -> Transcript:
        if not self._config.keep_transcripts:
            return Transcript()
        return FileTranscript(
            self._context.run_dir, request.proposal_id, self._redact, self._context.logger.warning
        )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"proposer.best_practices_path names {path}, which cannot be read"
        raise CodexError(message, Verdict.FATAL, hint="it must be a text file in UTF-8") from error
