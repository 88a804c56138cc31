"""Counts tokens from the running totals that codex reports for each conversation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gepa_framework.types import Usage

_FIELDS: Final = ("inputTokens", "cachedInputTokens", "outputTokens", "reasoningOutputTokens")


class TokenMeter:
    """Adds up what the conversations of one proposal consumed.

    ``totalTokens`` is not used: codex sets it to the context window when a prompt overflows it. Calls that
    fail or are retried inside of codex are not reported, so that the sums are then a lower bound.
    """

    def __init__(self) -> None:
        self._sums = dict.fromkeys(_FIELDS, 0)
        self._seen: dict[str, dict[str, int]] = {}
        self.known = False
        self.incomplete = False

    def update(self, thread_id: str, totals: Mapping[str, Any]) -> None:
        """Take the totals of a conversation, and add what is new in them."""
        seen = self._seen.setdefault(thread_id, dict.fromkeys(_FIELDS, 0))
        for name in _FIELDS:
            value = totals.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and value > seen[name]:
                self._sums[name] += value - seen[name]
                seen[name] = value
                self.known = True

    def usage(self, model: str) -> Usage:
        """Give the sums; unknown, not zero, where nothing was reported. Codex tells no prices."""
        if not self.known:
            return Usage(model=model)
        prompt, completion = self._sums["inputTokens"], self._sums["outputTokens"]
        return Usage(
            prompt_tokens=prompt,
            completion_tokens=completion,
            total_tokens=prompt + completion,
            cost_usd=None,
            model=model,
        )

    def details(self) -> dict[str, int | bool]:
        """Give what the framework's usage has no field for."""
        return {
            "cached_prompt_tokens": self._sums["cachedInputTokens"],
            "reasoning_tokens": self._sums["reasoningOutputTokens"],
            "usage_incomplete": self.incomplete or not self.known,
        }
