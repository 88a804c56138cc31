"""From HTTP failures to failed rollouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gepa_framework.errors import ContainerContractError, GepaError
from gepa_framework.net import FailureClass, HttpError
from gepa_framework.types import FREE, UNKNOWN, FailureKind, RolloutFailure

_KINDS: Final = {
    FailureClass.TIMEOUT: FailureKind.TIMEOUT,
    FailureClass.CONNECT: FailureKind.TRANSPORT,
    FailureClass.PROTOCOL: FailureKind.TRANSPORT,
    FailureClass.TOO_LARGE: FailureKind.CONTRACT,
    FailureClass.NOT_JSON: FailureKind.CONTRACT,
}


#: Refusals that come before any work is done.
_TURNED_AWAY: Final = frozenset({429, 503, 529})


def _is_marked_retryable(error: HttpError) -> bool:
    body = error.json
    for holder in (body, body.get("detail") if isinstance(body, Mapping) else None):
        if isinstance(holder, Mapping) and holder.get("retryable") is True:
            return True
    return False


def from_http(error: HttpError) -> RolloutFailure:
    """Give the failed rollout that a failed call makes.

    A refusal that asking again cannot help, such as 422, is a breach of contract; one that it can help, such
    as 503, is the container's failure.
    """
    retryable = error.retryable or _is_marked_retryable(error)
    if error.kind is FailureClass.STATUS:
        kind, code = (FailureKind.CONTAINER if retryable else FailureKind.CONTRACT), f"http_{error.status}"
    else:
        kind, code = _KINDS[error.kind], error.kind.value
    return RolloutFailure(
        kind=kind,
        code=code,
        message=error.message,
        retryable=retryable,
        http_status=error.status,
        retry_after_seconds=error.retry_after,
        usage=FREE if error.kind is FailureClass.CONNECT or error.status in _TURNED_AWAY else UNKNOWN,
    )


def from_error(error: GepaError) -> RolloutFailure:
    """Give the failed rollout that any other error of ours makes."""
    if isinstance(error, HttpError):
        return from_http(error)
    kind = FailureKind.CONTRACT if isinstance(error, ContainerContractError) else FailureKind.TRANSPORT
    return RolloutFailure(kind=kind, code=error.error_code, message=str(error))
