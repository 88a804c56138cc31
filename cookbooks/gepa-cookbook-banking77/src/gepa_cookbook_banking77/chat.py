"""The chat policy: asks a model behind an OpenAI-compatible ``/chat/completions``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

import attrs

from gepa_cookbook_banking77.policies import JSON, PolicyError, Question, Verdict
from gepa_framework.net import Answer, HttpClient, HttpError

DEFAULT_BASE_URL: Final = "https://api.openai.com/v1"
DEFAULT_MODEL: Final = "gpt-4.1-nano"
DEFAULT_KEY_ENV: Final = "OPENAI_API_KEY"
INSTRUCTION: Final = (
    "You sort messages of bank customers by intent. Below is one card for each intent, written as "
    "`- intent: what its messages are like`. Read the message, compare it with the cards and answer with "
    "the name of exactly one intent, spelled as on its card, and nothing else."
)
_CONCURRENCY: Final = 64
_TIMEOUT_SECONDS: Final = 60.0
_SAID_CHARS: Final = 200
_OWN_FIELDS: Final = frozenset({"model", "messages", "stream"})


@attrs.frozen
class ChatSettings:
    """What of the rollout's ``policy`` concerns this provider.

    Attributes:
        base_url: Where ``/chat/completions`` is below.
        model: Sent as it is.
        api_key_env: Variable of this process's environment that holds the key; empty for no key.
        max_tokens: Sent as it is where it is given.
        extra: The ``config`` table: further fields of the request, such as ``temperature``.
    """

    base_url: str
    model: str
    api_key_env: str
    max_tokens: int | None
    extra: JSON

    @classmethod
    def of(cls, policy: JSON) -> ChatSettings:
        """Read a policy.

        Raises:
            PolicyError: It asks for something that this policy does not do.
        """
        family = policy.get("api_family") or "chat_completions"
        if family != "chat_completions":
            raise PolicyError(
                "policy_unsupported",
                f"[policy] api_family = {family!r}; only chat_completions is spoken here",
            )
        extra = policy.get("config") or {}
        if not isinstance(extra, Mapping) or _OWN_FIELDS & set(extra):
            raise PolicyError(
                "policy_unsupported",
                f"[policy] config must be a table without {', '.join(sorted(_OWN_FIELDS))}",
            )
        max_tokens = policy.get("max_tokens")
        # Container requests have no such field of their own: a transport may carry it in `config`.
        key_env = policy.get("api_key_env", extra.get("api_key_env", DEFAULT_KEY_ENV))
        return cls(
            base_url=str(policy.get("base_url") or DEFAULT_BASE_URL),
            model=str(policy.get("model") or DEFAULT_MODEL),
            api_key_env=str(key_env or ""),
            max_tokens=max_tokens if isinstance(max_tokens, int) else None,
            extra={name: value for name, value in extra.items() if name != "api_key_env"},
        )

    def key(self) -> str:
        """Read the key from the environment of this process.

        Raises:
            PolicyError: The variable is not set.
        """
        key = os.environ.get(self.api_key_env, "") if self.api_key_env else ""
        if self.api_key_env and not key:
            raise PolicyError(
                "policy_key_missing",
                f"environment variable {self.api_key_env} is not set for the container's process; "
                'set it, or say [policy] api_key_env = "" if the endpoint needs no key',
            )
        return key

    def body(self, question: Question) -> dict[str, object]:
        """Write the request: the cards to the system, the query to the user."""
        body: dict[str, object] = {
            "model": self.model,
            "messages": [
                {"role": "system", "content": f"{INSTRUCTION}\n\n{question.cards}"},
                {"role": "user", "content": question.query},
            ],
            **self.extra,
        }
        return body if self.max_tokens is None else {**body, "max_tokens": self.max_tokens}


class ChatPolicy:
    """Keeps one client for each endpoint and key."""

    def __init__(self) -> None:
        self._clients: dict[tuple[str, str], HttpClient] = {}

    async def __call__(self, question: Question) -> Verdict:
        """Ask the model.

        Raises:
            PolicyError: No answer came, or one that is no chat completion.
        """
        settings = ChatSettings.of(question.policy)
        client = self._client(settings.base_url, settings.key())
        try:
            answer = await client.request("POST", "/chat/completions", json=settings.body(question))  # type: ignore[arg-type]
        except HttpError as error:
            raise PolicyError(
                f"policy_{error.kind}",
                error.message,
                retryable=error.retryable,
                http_status=error.status,
                retry_after=error.retry_after,
            ) from error
        return read_verdict(answer, question.labels)

    async def aclose(self) -> None:
        """Close every client."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()

    def _client(self, base_url: str, key: str) -> HttpClient:
        if (base_url, key) not in self._clients:
            headers = {"authorization": f"Bearer {key}"} if key else {}
            self._clients[base_url, key] = HttpClient(
                base_url,
                concurrency=_CONCURRENCY,
                headers=headers,
                total_timeout=_TIMEOUT_SECONDS,
                secrets=[key] if key else [],
            )
        return self._clients[base_url, key]


def read_verdict(answer: Answer, labels: tuple[str, ...]) -> Verdict:
    """Read a chat completion.

    Raises:
        PolicyError: It is none.
    """
    reply = answer.json
    try:
        content = reply["choices"][0]["message"]["content"]  # type: ignore[index,call-overload]
    except (KeyError, IndexError, TypeError):
        raise PolicyError(
            "policy_bad_answer", "the answer has no choices[0].message.content", http_status=answer.status
        ) from None
    text = content if isinstance(content, str) else ""
    intent = read_intent(text, labels)
    said = "" if intent else f"the model answered {text[:_SAID_CHARS]!r}, which names no intent of the cards"
    return Verdict(answer=intent, usage=_usage(reply), said=said)


def read_intent(text: str, labels: tuple[str, ...]) -> str | None:
    """Find the one intent that a model's answer names; ``None`` where it names none or several."""
    said = _plain(text)
    by_plain = {_plain(label): label for label in labels}
    if said in by_plain:
        return by_plain[said]
    named = [plain for plain in by_plain if f" {plain} " in f" {said} "]
    longest = [one for one in named if not any(one != other and one in other for other in named)]
    return by_plain[longest[0]] if len(longest) == 1 else None


def _plain(text: str) -> str:
    return " ".join("".join(char if char.isalnum() else " " for char in text.lower()).split())


def _usage(reply: object) -> JSON:
    usage = reply.get("usage") if isinstance(reply, Mapping) else None
    model = reply.get("model") if isinstance(reply, Mapping) else None
    counts = usage if isinstance(usage, Mapping) else {}
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    known = {name: counts[name] for name in names if isinstance(counts.get(name), int)}
    return {**known, "model": model} if isinstance(model, str) else known
