"""Every way in which an HTTP call can fail, as one typed error."""

from __future__ import annotations

import datetime as dt
import enum
from email.utils import parsedate_to_datetime

from gepa_framework.errors import TransportError
from gepa_framework.types import JSONValue

#: No server may keep us away for longer than this many seconds.
MAX_RETRY_AFTER = 3600.0

_RETRYABLE_STATUS = frozenset({408, 425, 429})
_FIRST_SERVER_ERROR = 500


class FailureClass(enum.StrEnum):
    """The family of a failed HTTP call."""

    TIMEOUT = "timeout"
    """No whole answer within the time allowed."""
    CONNECT = "connect"
    """No connection was made."""
    PROTOCOL = "protocol"
    """The connection broke, or what came over it is not HTTP."""
    TOO_LARGE = "too_large"
    """The answer is larger than allowed."""
    NOT_JSON = "not_json"
    """The answer is not JSON that we accept."""
    STATUS = "status"
    """The server answered with a status other than 2xx."""


_RETRYABLE = frozenset({FailureClass.TIMEOUT, FailureClass.CONNECT, FailureClass.PROTOCOL})


class HttpError(TransportError):
    """An HTTP call failed. All texts are free of secrets.

    Args:
        kind: The family.
        message: What happened, with method and address.
        status: The HTTP status, where an answer came.
        retry_after: Seconds that the server asked to be left alone, where it did.
        json: The body of a refusal, where it was JSON.
        text_excerpt: The beginning of the body of a refusal.
    """

    def __init__(
        self,
        kind: FailureClass,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        json: JSONValue = None,
        text_excerpt: str = "",
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status
        self.retry_after = retry_after
        self.json = json
        self.text_excerpt = text_excerpt

    @property
    def retryable(self) -> bool:
        """Whether asking again may help: 408, 425, 429, 5xx, and whatever the network did."""
        if self.kind is FailureClass.STATUS and self.status is not None:
            return self.status in _RETRYABLE_STATUS or self.status >= _FIRST_SERVER_ERROR
        return self.kind in _RETRYABLE


def parse_retry_after(value: str | None) -> float | None:
    """Read a ``Retry-After`` header, in seconds or as a date; ``None`` when it says nothing usable."""
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    seconds = (moment - dt.datetime.now(dt.UTC)).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)
