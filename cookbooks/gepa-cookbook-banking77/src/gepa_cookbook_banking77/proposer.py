"""The proposer ``lexical_reflector``: edits the cards by the evidence of a minibatch. It asks no model."""

from __future__ import annotations

from typing import Final

import attrs
from attrs.validators import ge, instance_of

from gepa_cookbook_banking77.cards import parse_cards
from gepa_cookbook_banking77.lessons import read_lessons
from gepa_cookbook_banking77.reflector import Limits, Revision, revise
from gepa_framework.errors import ProposerError
from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import (
    FREE,
    BuildContext,
    Capability,
    JSONObject,
    Kind,
    PluginInfo,
    Proposal,
    ProposalRequest,
)

#: How many other draws are tried when one gives a text that was refused before.
_REDRAWS: Final = 4


@attrs.frozen
class LexicalReflectorConfig:
    """The ``[proposer]`` table of ``backend = "lexical_reflector"``."""

    phrases_per_card: int = attrs.field(
        default=80,
        validator=[instance_of(int), ge(1)],
        metadata={"help": "Phrases that a card keeps at most; the least telling ones go first."},
    )
    phrases_per_miss: int = attrs.field(
        default=3,
        validator=[instance_of(int), ge(1)],
        metadata={"help": "Phrases that one missed query may add to its card in one pass."},
    )
    passes: int = attrs.field(
        default=3,
        validator=[instance_of(int), ge(1)],
        metadata={"help": "How often the evidence is gone over for one proposal."},
    )
    margin: float = attrs.field(
        default=0.3,
        validator=ge(0.0),
        metadata={
            "help": "How far ahead of the runner-up the right intent must be, as a share of its score."
        },
    )
    max_edits: int = attrs.field(
        default=3000,
        validator=[instance_of(int), ge(1)],
        metadata={"help": "Phrases that one proposal may add and strike in all."},
    )
    noise: float = attrs.field(
        default=0.3,
        validator=ge(0.0),
        metadata={"help": "How far chance may shift the worth of a phrase; 0 for not at all."},
    )

    def limits(self) -> Limits:
        """Give the limits of the editing."""
        return Limits(**attrs.asdict(self))


plugin_info = PluginInfo(
    kind=Kind.PROPOSER,
    name="lexical_reflector",
    api=">=1.0,<2",
    config=LexicalReflectorConfig,
    capabilities=frozenset({Capability.CONCURRENT, Capability.DETERMINISTIC}),
    summary="Edits intent cards by the words of missed queries; offline, free and deterministic.",
)


@hookimpl
def gepa_make_proposer(config: LexicalReflectorConfig, context: BuildContext) -> LexicalReflector:
    """Build the proposer; it needs nothing of the run."""
    del context
    return LexicalReflector(config.limits())


@attrs.frozen
class LexicalReflector:
    """Proposes by editing; keeps nothing between calls."""

    limits: Limits = attrs.field(factory=Limits)

    async def propose(self, request: ProposalRequest) -> Proposal:
        """Edit the cards so that the missed queries find their intent; decline where nothing was missed.

        Raises:
            ProposerError: The evidence holds no queries with their intents, or no component holds cards.
        """
        component = _component(request)
        lessons = read_lessons(request.evidence)
        if not lessons:
            raise ProposerError(
                f"none of the {len(request.evidence)} evidence frames holds a query and its right intent",
                hint="lexical_reflector needs `query` and `expected` in the container's feedback",
            )
        missed = sum(lesson.missed for lesson in lessons)
        if not missed:
            return Proposal(components={}, rationale="nothing was missed", usage=FREE)
        text = request.parent.components[component]
        refused = {text, *(attempt.changes.get(component) for attempt in request.rejected)}
        for draw in range(_REDRAWS):
            revision = revise(text, lessons, self.limits, f"{request.seed}:{draw}")
            if revision.text not in refused:
                return _proposal(component, revision, missed, len(lessons))
        return Proposal(components={}, rationale="every edit found was refused before", usage=FREE)

    async def close(self) -> None:
        """There is nothing to let go of."""


def _component(request: ProposalRequest) -> str:
    texts = {name: request.parent.components.get(name, "") for name in request.components}
    with_cards = [name for name, text in texts.items() if parse_cards(text)]
    if with_cards:
        return with_cards[0]
    if len(texts) == 1:
        return next(iter(texts))
    raise ProposerError(
        f"none of the components {', '.join(texts) or '(none)'} holds intent cards",
        hint="lexical_reflector edits lines such as `- intent: phrase, phrase`",
    )


def _proposal(component: str, revision: Revision, missed: int, seen: int) -> Proposal:
    rationale = (
        f"{missed} of {seen} queries were missed: {revision.added} phrases added and "
        f"{revision.struck} struck on {len(revision.intents)} cards"
    )
    metadata: JSONObject = {
        "added": revision.added,
        "struck": revision.struck,
        "intents": list(revision.intents),
    }
    return Proposal(components={component: revision.text}, rationale=rationale, usage=FREE, metadata=metadata)
