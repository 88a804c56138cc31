"""What a mode decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from gepa_codex.prompt import Prompt
from gepa_framework.types import ProposalRequest


class Mode(Protocol):
    """Shapes one conversation. A mode keeps nothing between calls."""

    @property
    def name(self) -> str:
        """The word in ``[proposer] mode``."""
        ...

    def thread_options(self) -> Mapping[str, Any]:
        """Give what ``thread/start`` is told beyond what every mode tells it."""
        ...

    def prompt(self, request: ProposalRequest, *, advice: str, limit: int) -> Prompt:
        """Put the request into words, with at most about `limit` characters of evidence."""
        ...
