"""The V1 keys of ``[policy]``; the table is the container's, and may hold others."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import attrs

from gepa_framework.config.checks import environment_name, not_empty, positive

_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")
_SECRET_WORDS = frozenset(
    {"apikey", "authorization", "bearer", "credentials", "passwd", "password", "secret", "token"}
)
_SECRET_PAIRS = frozenset({("api", "key"), ("access", "key"), ("private", "key"), ("secret", "key")})


@attrs.frozen
class PolicyTable:
    """What V1 says of ``[policy]``: how the container calls its model. Every key is optional.

    Attributes:
        enabled: For the container.
        provider: Which provider the container asks.
        model: Which model the container asks.
        policy_type: For the container.
        api_family: For the container.
        base_url: Where the provider is.
        inference_url: For the container; needed with `credential_mode` ``proxy``.
        max_tokens: For the container.
        disable_reasoning: For the container.
        tool_call_style: For the container.
        proxy_mode: For the container.
        credential_mode: For the container.
        api_key_env: Environment variable of the container's process that holds the key.
        config: Further settings for the container.
    """

    enabled: bool = True
    provider: str | None = attrs.field(default=None, validator=not_empty)
    model: str | None = attrs.field(default=None, validator=not_empty)
    policy_type: Literal["dag", "react", "codex"] | None = None
    api_family: Literal["chat_completions", "responses"] | None = None
    base_url: str | None = attrs.field(default=None, validator=not_empty)
    inference_url: str | None = attrs.field(default=None, validator=not_empty)
    max_tokens: int | None = attrs.field(default=None, validator=positive)
    disable_reasoning: Literal["auto", "on", "off"] | None = None
    tool_call_style: Literal["none", "openai_chat", "openai_responses", "codex_session_native"] | None = None
    proxy_mode: Literal["proxy_only", "assert_proxy", "allow_direct"] | None = None
    credential_mode: Literal["byok", "proxy"] | None = attrs.field(default=None)
    api_key_env: str | None = attrs.field(default=None, validator=environment_name)
    config: Mapping[str, object] = attrs.field(factory=dict)

    @credential_mode.validator
    def _proxy_needs_its_url(self, _: attrs.Attribute[Any], value: str | None) -> None:
        if value == "proxy" and not self.inference_url:
            raise ValueError('"proxy" needs policy.inference_url')


def credential_shaped(key: str) -> bool:
    """Tell whether a key reads like the place of a secret; names of environment variables do not."""
    words = [word.lower() for word in _WORD.findall(key)]
    if not words or words[-1] == "env":
        return False
    return bool(_SECRET_WORDS.intersection(words)) or bool(
        _SECRET_PAIRS.intersection(itertools.pairwise(words))
    )


def credentials(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Give the path of every key below a value that reads like the place of a secret and could hold one."""
    if isinstance(value, dict):
        for key, item in value.items():
            if credential_shaped(key) and not isinstance(item, bool | int | float):
                yield (*path, key)
            else:
                yield from credentials(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from credentials(item, (*path, str(index)))
