"""Events as text: what is kept of an event, written once for journal, feeds and listeners."""

from __future__ import annotations

from json.encoder import encode_basestring as quote
from math import isfinite

from gepa_framework.types import EventBody, body_fields, compact_json
from gepa_framework.types.events import RolloutCompleted


def event_text(event: EventBody) -> str:
    """Give an event's body as it is kept."""
    if type(event) is RolloutCompleted and (text := _completed_text(event)) is not None:
        return text
    return compact_json(body_fields(event))


def _completed_text(event: RolloutCompleted) -> str | None:
    """Give what `event_text` is to give in a third of the time; ``None`` for what is out of the ordinary.

    There is such an event for every rollout, and nearly all of them are alike.
    """
    reward, cost, tokens = event.reward, event.cost_usd, event.total_tokens
    if (
        event.objectives
        or type(reward) is not float
        or not isfinite(reward)
        or not (cost is None or (type(cost) is float and isfinite(cost)))
        or not (tokens is None or type(tokens) is int)
    ):
        return None
    text = (
        f'{{"candidate_id":{quote(event.candidate_id)},"row_id":{quote(event.row_id)},'
        f'"stage":{quote(event.stage)},"iteration":{event.iteration},"reward":{reward!r},"objectives":{{}},'
        f'"cost_usd":{"null" if cost is None else repr(cost)},'
        f'"total_tokens":{"null" if tokens is None else tokens}}}'
    )
    return text if text.isascii() else None
