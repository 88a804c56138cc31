"""The ``[proposer]`` table of ``backend = "codex_app_server"``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import attrs

from gepa_codex import checks
from gepa_codex.modes import MODES

DEFAULT_MODEL: Final = "gpt-5.4-mini"
OPENAI: Final = "openai"
OPENAI_URL: Final = "https://api.openai.com/v1"
OPENAI_KEY: Final = "OPENAI_API_KEY"

_NO_CHAT = "codex speaks the Responses API only"
_NO_LOGIN = "a ChatGPT login is not supported yet; use an API key through api_key_env"
_NO_SUBSTRATE = "the app-server runs on this machine only"
_NO_SOCKET = "the app-server is spoken to over stdio only"


def _field(default: Any, help_: str, validator: Any = None) -> Any:
    return attrs.field(default=default, validator=validator, metadata={"help": help_})


@attrs.frozen
class PromptConfig:
    """The ``[proposer.prompt]`` table: advice for the model, as text or as a file."""

    best_practices: str | None = _field(None, "Advice that is put into every prompt.", checks.not_blank)
    best_practices_path: str | None = _field(
        None, "File with that advice, relative to the configuration.", checks.not_blank
    )


@attrs.frozen
class CodexProposerConfig:
    """Everything ``[proposer]`` may say; see the README for what each field does with codex.

    Raises:
        ValueError: A value cannot be used; the message names field, value and cure.
    """

    # What is asked.
    model: str = _field(DEFAULT_MODEL, "Model to ask.", checks.not_blank)
    provider: str = _field(
        OPENAI, "Name of the model provider; another than openai needs base_url.", checks.not_blank
    )
    base_url: str | None = _field(
        None, "Base of the provider's Responses API, such as https://host/v1.", checks.http_url
    )
    api_key_env: str | None = _field(
        None,
        'Environment variable with the API key; OPENAI_API_KEY where the provider is openai, "" for none.',
        checks.variable_name,
    )
    reasoning_effort: Literal["none", "low", "medium", "high", "xhigh"] | None = _field(
        None,
        "How long the model thinks; the model's own default where unset.",
        attrs.validators.optional(checks.one_of(("none", "low", "medium", "high", "xhigh"))),
    )
    service_tier: str | None = _field(
        None, "Service tier of the provider, passed on as it is.", checks.not_blank
    )
    mode: str = _field("inline", "How evidence reaches the model: inline.", checks.one_of(MODES))
    base_instructions: str | None = _field(
        None, "Replaces the standing instructions that every conversation begins with.", checks.not_blank
    )
    best_practices: str | None = _field(None, "Advice that is put into every prompt.", checks.not_blank)
    best_practices_path: str | None = _field(
        None, "File with that advice, relative to the configuration.", checks.not_blank
    )
    prompt: PromptConfig = attrs.field(
        factory=PromptConfig, metadata={"help": "best_practices or best_practices_path, as V1 spells it."}
    )

    # How the app-server is found and run.
    codex_bin: str | None = _field(
        None, "The codex executable: a path, or a name on PATH; looked for where unset.", checks.not_blank
    )
    command: tuple[str, ...] | None = _field(
        None, 'Whole command line of the app-server, such as ["codex", "app-server"]; instead of codex_bin.'
    )
    extra_config: Mapping[str, Any] = attrs.field(
        factory=dict,
        validator=checks.extra_table,
        metadata={"help": "Further settings for codex' config.toml, merged into those of the plugin."},
    )
    env_passthrough: tuple[str, ...] = _field(
        (),
        "Further environment variables that the app-server is given, such as HTTPS_PROXY.",
        checks.variable_names,
    )
    keep_transcripts: bool = _field(
        False, "Keep what was said, secrets taken out, in codex-transcripts/ of the run."
    )

    # Bounds.
    timeout_seconds: float = _field(600.0, "Longest that one turn may take.", checks.positive)
    message_stall_timeout_seconds: float = _field(
        180.0, "Longest that a turn may go without a sign of life.", checks.positive
    )
    request_timeout_seconds: float = _field(
        30.0, "Longest that the app-server may take to answer a request.", checks.positive
    )
    start_timeout_seconds: float = _field(
        30.0, "Longest that the app-server may take to start.", checks.positive
    )
    attempts: int = _field(
        2, "How often a proposal is tried where trying again may help.", checks.at_least(1)
    )
    max_restarts: int = _field(5, "How often a dead app-server is started again.", checks.at_least(0))
    recycle_after_threads: int = _field(
        200,
        "Conversations after which the app-server is replaced, which bounds its memory.",
        checks.at_least(1),
    )

    # V1 fields that have one possible value, or no effect, with codex in mode inline.
    runtime_substrate: Literal["local", "docker", "daytona"] = _field(
        "local",
        "Where the app-server runs: local.",
        checks.one_of(("local",), {"docker": _NO_SUBSTRATE, "daytona": _NO_SUBSTRATE}),
    )
    execution_mode: Literal["local_process", "stdio", "websocket", "ws"] = _field(
        "local_process",
        "How it is spoken to: local_process and stdio are the same.",
        checks.one_of(("local_process", "stdio"), {"websocket": _NO_SOCKET, "ws": _NO_SOCKET}),
    )
    api_family: Literal["responses", "chat_completions"] = _field(
        "responses",
        "API of the provider: responses.",
        checks.one_of(("responses",), {"chat_completions": _NO_CHAT}),
    )
    sandbox_mode: Literal["read-only", "workspace-write", "danger-full-access"] = _field(
        "workspace-write",
        "No effect in mode inline, where the model can run nothing.",
        checks.one_of(("read-only", "workspace-write", "danger-full-access")),
    )
    approval_policy: Literal["never"] = _field(
        "never",
        "Who may approve what the model asks for: never.",
        checks.one_of(("never",), {"on-request": "nobody is there to approve anything"}),
    )
    auth_mode: Literal["auto", "api_key", "chatgpt"] = _field(
        "auto",
        "How the provider is authenticated to: api_key; auto is the same, and allows no key at all.",
        checks.one_of(("auto", "api_key"), {"chatgpt": _NO_LOGIN}),
    )
    copy_host_auth: bool = _field(
        False, "Must be false: the user's own codex login is never touched.", checks.must_be_false
    )
    codex_home: str | None = _field(
        None, "Must be unset: each run has a private CODEX_HOME.", checks.must_be_none
    )
    allow_unverified_model: bool = _field(False, "No effect: any model name is passed on as it is.")

    def __attrs_post_init__(self) -> None:
        """Check what two fields say together."""
        self._check_provider()
        self._check_advice()
        if self.codex_bin is not None and self.command is not None:
            raise ValueError("codex_bin and command exclude one another; drop one")
        if self.command is not None and not all(part.strip() for part in self.command or ("",)):
            raise ValueError('command must hold a program and no empty word, such as ["codex", "app-server"]')

    def _check_provider(self) -> None:
        if self.provider != OPENAI and self.base_url is None:
            raise ValueError(f"base_url must be set where provider is {self.provider!r}")
        if self.auth_mode == "api_key" and self.key_variable is None:
            raise ValueError('auth_mode "api_key" needs api_key_env, the name of an environment variable')

    def _check_advice(self) -> None:
        given = [
            self.best_practices,
            self.best_practices_path,
            self.prompt.best_practices,
            self.prompt.best_practices_path,
        ]
        if sum(value is not None for value in given) > 1:
            raise ValueError(
                "at most one of best_practices and best_practices_path may be set; drop the others"
            )

    @property
    def url(self) -> str:
        """The base URL in effect, without a slash at its end."""
        return (self.base_url or OPENAI_URL).rstrip("/")

    @property
    def key_variable(self) -> str | None:
        """The environment variable of the API key in effect; ``None`` where no key is sent."""
        if self.api_key_env is None:
            return OPENAI_KEY if self.provider == OPENAI else None
        return self.api_key_env or None

    @property
    def advice(self) -> str | None:
        """The advice given as text."""
        return self.best_practices or self.prompt.best_practices

    @property
    def advice_path(self) -> str | None:
        """The advice given as a file."""
        return self.best_practices_path or self.prompt.best_practices_path
