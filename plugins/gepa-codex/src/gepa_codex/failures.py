"""What can go wrong with codex, and whether trying again may help."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from gepa_framework.errors import ProposerError
from gepa_framework.types import UNKNOWN, Usage


class Verdict(enum.Enum):
    """What to do after a failure."""

    FATAL = "fatal"
    RETRY = "retry"
    ONCE = "once"
    """Nobody knows: trying again once is reasonable, more is not."""
    SHRINK = "shrink"
    """Trying again with less evidence may help."""


class CodexError(ProposerError):
    """A proposal failed. Says, beyond its base, what was spent on it all the same.

    Attributes:
        verdict: What to do about it.
        usage: What the failed attempts consumed, as far as codex told: a lower bound.
    """

    def __init__(self, message: str, verdict: Verdict, *, hint: str = "") -> None:
        super().__init__(message, hint=hint, retryable=verdict is Verdict.RETRY)
        self.verdict = verdict
        self.usage: Usage = UNKNOWN


class ServerGoneError(CodexError):
    """The app-server ended, or was ended, under the request."""

    def __init__(self, message: str) -> None:
        super().__init__(message, Verdict.RETRY)


_CUT: Final = ("stream disconnected", "idle timeout", "connection")
_INCOMPLETE: Final = "incomplete response"
_SERVER_FAULT: Final = 500
_SHED: Final = -32001
_INVALID: Final = (-32602, -32600)

_BY_NAME: Final[Mapping[str, tuple[Verdict, str]]] = {
    "contextWindowExceeded": (
        Verdict.SHRINK,
        "the prompt does not fit the model: use a smaller minibatch or another model",
    ),
    "usageLimitExceeded": (Verdict.FATAL, "the account's quota is used up: raise it, then resume the run"),
    "sessionBudgetExceeded": (Verdict.FATAL, "the provider's session budget is used up"),
    "modelNotFound": (Verdict.FATAL, "check proposer.model and proposer.base_url"),
    "badRequest": (
        Verdict.FATAL,
        "the provider refuses the request: check proposer.model and proposer.reasoning_effort",
    ),
    "unauthorized": (Verdict.FATAL, ""),
    "cyberPolicy": (Verdict.FATAL, "the provider's policy refuses the prompt"),
    "misalignmentPolicyViolation": (Verdict.FATAL, "the provider's policy refuses the prompt"),
    "rateLimitExceeded": (Verdict.RETRY, "lower [gepa.pipeline.workers] propose, or wait"),
    "serverOverloaded": (Verdict.RETRY, "the provider is overloaded"),
    "flexUnavailable": (Verdict.RETRY, "the service tier is not available now"),
    "internalServerError": (Verdict.RETRY, "the provider fails; check its status"),
}
_HINTS: Final[Mapping[int, str]] = {
    400: "the provider refuses the request: check proposer.model and proposer.reasoning_effort",
    404: "check proposer.base_url and proposer.model",
    408: "the provider is slow",
    429: "lower [gepa.pipeline.workers] propose, or wait",
}


def turn_failure(error: Mapping[str, Any] | None, *, key_variable: str | None) -> CodexError:
    """Make the error that a failed turn is.

    Args:
        error: The turn's ``error`` as codex gave it: ``message``, ``codexErrorInfo``, …
        key_variable: The user's environment variable that holds the API key, for the hint.
    """
    message, info = (
        str((error or {}).get("message") or "no reason given"),
        (error or {}).get("codexErrorInfo"),
    )
    name, status = _named(info)
    status = status or _told(message)
    if name == "unauthorized" or status in {401, 403}:
        return _refused(status or 401, key_variable)
    verdict, hint = _judge(name, status, message)
    what = name if status is None else f"{name}, HTTP {status}"
    return CodexError(f"the model's turn failed ({what}): {message[:600]}", verdict, hint=hint)


def _named(info: object) -> tuple[str, int | None]:
    if isinstance(info, Mapping) and info:
        name, detail = next(iter(info.items()))
        status = detail.get("httpStatusCode") if isinstance(detail, Mapping) else None
        return str(name), status if isinstance(status, int) else None
    return (info if isinstance(info, str) and info else "other"), None


def _told(message: str) -> int | None:
    # Versions before 0.163 name the status in the message only.
    match = re.search(r"unexpected status (\d{3})\b", message)
    return int(match[1]) if match else None


def _refused(status: int, key_variable: str | None) -> CodexError:
    # The provider's own words may repeat a part of the key, so they stay out.
    cure = (
        f"check that the environment variable {key_variable} holds a valid key for proposer.base_url"
        if key_variable
        else "set proposer.api_key_env to the environment variable that holds the key"
    )
    return CodexError(f"the provider refused the credentials (HTTP {status})", Verdict.FATAL, hint=cure)


def _judge(name: str, status: int | None, message: str) -> tuple[Verdict, str]:
    if name in _BY_NAME:
        return _BY_NAME[name]
    if status is not None:
        again = status in {408, 409, 425, 429} or status >= _SERVER_FAULT
        return (Verdict.RETRY if again else Verdict.FATAL), _HINTS.get(status, "")
    if name != "other":
        return (Verdict.RETRY if "onnection" in name or "Disconnected" in name else Verdict.ONCE), ""
    if _is_refusal(message):
        return Verdict.FATAL, _HINTS[400]
    if _INCOMPLETE in message.lower():
        return Verdict.ONCE, "the model ran out of output tokens: lower proposer.reasoning_effort"
    return (Verdict.RETRY if any(word in message.lower() for word in _CUT) else Verdict.ONCE), ""


def _is_refusal(message: str) -> bool:
    # An HTTP 400 arrives as "other" whose message is the provider's JSON body.
    try:
        body = json.loads(message)
    except ValueError:
        return False
    return isinstance(body, dict) and bool(body.get("error") or body.get("detail"))


def request_failure(method: str, error: Mapping[str, Any]) -> CodexError:
    """Make the error that a refused request is, from its JSON-RPC ``error``."""
    code, message = error.get("code"), str(error.get("message") or "no reason given")
    if code == _SHED:
        return CodexError(f"codex refused {method}: it is overloaded", Verdict.RETRY)
    verdict = Verdict.FATAL if code in _INVALID else Verdict.ONCE
    return CodexError(f"codex refused {method} (code {code}): {message[:600]}", verdict)
