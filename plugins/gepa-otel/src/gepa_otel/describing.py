"""What a span says of an effect, and an event of a span of what was decided."""

from __future__ import annotations

from typing import Final

from gepa_framework.types import Effect, EffectKind, Event, JSONValue, body_fields
from gepa_otel.values import Attributes, put

#: Fields that hold what models and tasks wrote, or quote it.
_TEXTS: Final = frozenset({"rationale", "message", "reasons", "span", "details"})
#: A mapping of texts; events that only name components have a tuple there.
_COMPONENTS: Final = "components"


def effect_title(effect: Effect) -> str:
    """Give the name of a span: the same for all effects of one sort."""
    return f"{effect.kind.value} {effect.stage}" if effect.stage else effect.kind.value


def effect_attributes(run_id: str, effect: Effect, *, texts: bool) -> Attributes:
    """Give what a span says of an effect.

    Args:
        run_id: The run.
        effect: What was done.
        texts: Whether messages of failures may be in it.
    """
    found: Attributes = {}
    usage = effect.usage
    for name, value in (
        ("gepa.run.id", run_id),
        ("gepa.effect.id", effect.effect_id),
        ("gepa.effect.kind", effect.kind.value),
        ("gepa.iteration", effect.iteration or None),
        ("gepa.stage", effect.stage),
        ("gepa.candidate.id", effect.candidate_id),
        ("gepa.row.id", effect.row_id),
        ("gepa.cached", effect.cached),
        ("gepa.attempts", effect.attempts),
        ("gepa.superseded", [f"{each.kind.value}: {each.code}" for each in effect.superseded]),
        ("gepa.outcome", "failed" if effect.failed else "ok"),
        ("gepa.failure.kind", effect.failed),
        ("error.type", effect.code),
        ("gepa.failure.message", effect.message if texts else None),
        ("gepa.reward", effect.reward),
        ("gepa.cost_usd", usage.cost_usd),
        ("gepa.tokens.prompt", usage.prompt_tokens),
        ("gepa.tokens.completion", usage.completion_tokens),
        ("gepa.tokens.total", usage.total_tokens),
    ):
        put(found, name, value)
    if effect.kind is EffectKind.PROPOSAL:
        put(found, "gen_ai.request.model", effect.requested_model)
        put(found, "gen_ai.response.model", effect.model)
        put(found, "gen_ai.usage.input_tokens", usage.prompt_tokens)
        put(found, "gen_ai.usage.output_tokens", usage.completion_tokens)
    return found


def event_attributes(event: Event, *, texts: bool) -> Attributes:
    """Give what an event of a span says: the fields of an event of the run, without texts unless allowed."""
    found: Attributes = {"gepa.event.seq": event.seq}
    for name, value in body_fields(event.body).items():
        if texts or not _is_text(name, value):
            # Behind the colon stands what a failed rollout had to say.
            brief = isinstance(value, str) and name == "reason" and not texts
            put(found, f"gepa.{name}", str(value).partition(": ")[0] if brief else value)
    return found


def _is_text(name: str, value: JSONValue) -> bool:
    return name in _TEXTS or (name == _COMPONENTS and not isinstance(value, tuple))
