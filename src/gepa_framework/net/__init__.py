"""The door to HTTP: the only importer of httpx.

:class:`HttpClient` asks a JSON service under limits of time, size and concurrency; every way in which that
can go wrong is an :class:`HttpError` with a :class:`FailureClass`. :class:`Redactor` takes secrets out of
texts.

httpx takes a quarter of a second to import, so it is loaded with the first use of :class:`HttpClient`, not
with this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gepa_framework.net.failures import FailureClass, HttpError
from gepa_framework.net.redact import Redactor, secrets_of
from gepa_framework.net.strictjson import JSONRefused, dump_json, load_json

if TYPE_CHECKING:
    from gepa_framework.net.client import Answer, HttpClient

__all__ = [
    "Answer",
    "FailureClass",
    "HttpClient",
    "HttpError",
    "JSONRefused",
    "Redactor",
    "dump_json",
    "load_json",
    "secrets_of",
]

_LAZY = frozenset({"Answer", "HttpClient"})


def __getattr__(name: str) -> Any:
    """Load the client, and httpx with it, when it is first asked for."""
    if name in _LAZY:
        from gepa_framework.net import client  # noqa: PLC0415

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
