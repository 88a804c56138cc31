"""Tokens and money, where unknown is not zero."""

from __future__ import annotations

import attrs


@attrs.frozen
class Usage:
    """What one call, or many, consumed. ``None`` means unknown; it is never taken for zero.

    Attributes:
        prompt_tokens: Tokens read.
        completion_tokens: Tokens written.
        total_tokens: Tokens billed in all.
        cost_usd: US dollars.
        model: The model that answered, where one did.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cost_usd: float | None = None
    model: str | None = None


#: What a call that uses no model consumes.
FREE = Usage(prompt_tokens=0, completion_tokens=0, total_tokens=0, cost_usd=0.0)
#: What a call consumes of which nothing is known.
UNKNOWN = Usage()
