"""``[[prices]]``: what tokens cost."""

from __future__ import annotations

import attrs

from gepa_framework.config.checks import not_empty, not_negative


@attrs.frozen
class PriceTable:
    """One entry of ``[[prices]]``: what a model's tokens cost where nobody says what a call cost.

    Attributes:
        provider: As in ``[policy]`` or ``[proposer]``; empty where that names none.
        model: The model that answered, or else that of the table.
        prompt_usd_per_million: US dollars for a million tokens read.
        completion_usd_per_million: US dollars for a million tokens written.
    """

    provider: str = ""
    model: str = attrs.field(kw_only=True, validator=not_empty)
    prompt_usd_per_million: float = attrs.field(kw_only=True, validator=not_negative)
    completion_usd_per_million: float = attrs.field(kw_only=True, validator=not_negative)
