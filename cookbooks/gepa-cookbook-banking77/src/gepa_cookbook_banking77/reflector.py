"""Editing cards by the lessons of a minibatch.

The reflector goes over the lessons a few times. Where an intent does not win clearly, it writes the words
that set the query apart onto the right card and strikes a misleading phrase from the card that won instead.
A card's first phrase says what it is about and always stays. The reflector judges by the matching rule of
the lexical policy and by the lessons, and knows nothing else.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from itertools import pairwise

import attrs

from gepa_cookbook_banking77.cards import name_words, parse_cards, phrases_of, replace_cards
from gepa_cookbook_banking77.lessons import Lesson, Tally
from gepa_cookbook_banking77.lexical import PAIR_WEIGHT, CardIndex, build_index
from gepa_cookbook_banking77.words import stem, terms_of, words_of

_LONGEST_STRUCK = 2


@attrs.frozen
class Limits:
    """How much may be edited.

    Attributes:
        phrases_per_card: Phrases that a card keeps.
        phrases_per_miss: Phrases that one query may add in one pass.
        passes: How often the lessons are gone over.
        margin: How far ahead the right intent must be, as a share of the runner-up's score.
        max_edits: Phrases added and struck in all.
        noise: How far chance may shift the worth of a phrase; 0 for not at all.
    """

    phrases_per_card: int = 80
    phrases_per_miss: int = 3
    passes: int = 3
    margin: float = 0.3
    max_edits: int = 3000
    noise: float = 0.3


@attrs.frozen
class Revision:
    """An edited text.

    Attributes:
        text: The whole text.
        added: Phrases added.
        struck: Phrases struck.
        intents: Intents whose card changed, sorted.
    """

    text: str
    added: int
    struck: int
    intents: tuple[str, ...]


def revise(text: str, lessons: Sequence[Lesson], limits: Limits, lot: str) -> Revision:
    """Edit the cards of a text; equal arguments give equal texts.

    Args:
        text: The parent's text; lines that are no cards stay as they are.
        lessons: Training queries with their intents.
        limits: How much may be edited.
        lot: What chance is drawn from.
    """
    before = {name: phrases_of(body) for name, body in parse_cards(text).items()}
    desk = _Desk(before, lessons, limits, random.Random(lot))  # noqa: S311 - variation, not secrecy
    for _ in range(limits.passes):
        if not desk.go_over():
            break
    after = {name: tuple(phrases) for name, phrases in desk.cards.items()}
    changed = {name: phrases for name, phrases in after.items() if phrases != before.get(name)}
    return Revision(
        text=replace_cards(text, changed) if changed else text,
        added=desk.added,
        struck=desk.struck,
        intents=tuple(sorted(changed)),
    )


class _Desk:
    """The cards while they are being edited."""

    def __init__(
        self,
        cards: Mapping[str, tuple[str, ...]],
        lessons: Sequence[Lesson],
        limits: Limits,
        chance: random.Random,
    ) -> None:
        self.cards = {name: list(phrases) for name, phrases in cards.items()}
        self.added = 0
        self.struck = 0
        self._lessons = lessons
        self._tally = Tally.of(lessons)
        self._limits = limits
        self._chance = chance

    def go_over(self) -> bool:
        """Go over all lessons once; tell whether anything was edited."""
        edits = self.added + self.struck
        index = build_index({name: tuple(phrases) for name, phrases in self.cards.items()})
        for lesson in self._chance.sample(self._lessons, len(self._lessons)):
            if self.added + self.struck < self._limits.max_edits:
                self._learn(lesson, index)
        for name in self.cards:
            self._trim(name, index)
        return self.added + self.struck > edits

    def _learn(self, lesson: Lesson, index: CardIndex) -> None:
        scores = dict(zip(index.names, index.scores(lesson.query), strict=True))
        own = scores.pop(lesson.expected, 0.0)
        rival = max(scores, key=scores.__getitem__, default="")
        if own > scores.get(rival, 0.0) * (1 + self._limits.margin):
            return
        self._add(lesson, index)
        if scores.get(rival, 0.0) > 0:
            self._strike(rival, lesson)

    def _add(self, lesson: Lesson, index: CardIndex) -> None:
        card = self.cards.setdefault(lesson.expected, [name_words(lesson.expected)])
        known = {term for phrase in card for term in terms_of(phrase)}
        worth = {
            phrase: self._worth(term, lesson.expected, index)
            for term, phrase in _spellings(lesson.query).items()
            if term not in known
        }
        best = sorted(worth, key=lambda phrase: (-worth[phrase], phrase))[: self._limits.phrases_per_miss]
        card.extend(best)
        self.added += len(best)

    def _worth(self, term: str, intent: str, index: CardIndex) -> float:
        seen = 1 + 0.5 * math.log1p(self._tally.count(term, intent))
        rarity = index.rarity(term) * (PAIR_WEIGHT if " " in term else 1.0)
        return self._tally.purity(term, intent) * seen * rarity * self._shift()

    def _shift(self) -> float:
        return 1 + self._limits.noise * self._chance.random()

    def _strike(self, name: str, lesson: Lesson) -> None:
        """Take one phrase off that drew the query here and that no lesson of this intent bears out."""
        heard = set(terms_of(lesson.query))
        card = self.cards[name]
        misleading = [
            place
            for place, phrase in enumerate(card)
            if place
            and (terms := terms_of(phrase))
            and len(words_of(phrase)) <= _LONGEST_STRUCK
            and terms[-1] in heard
            and not self._tally.count(terms[-1], name)
        ]
        if misleading:
            del card[self._chance.choice(misleading)]
            self.struck += 1

    def _trim(self, name: str, index: CardIndex) -> None:
        """Keep the first phrase and the best of the others."""
        card = self.cards[name]
        if len(card) <= self._limits.phrases_per_card:
            return
        worth = {place: self._lasting_worth(phrase, name, index) for place, phrase in enumerate(card[1:], 1)}
        kept = sorted(worth, key=lambda place: (-worth[place], place))[: self._limits.phrases_per_card - 1]
        self.cards[name] = [card[place] for place in (0, *sorted(kept))]

    def _lasting_worth(self, phrase: str, name: str, index: CardIndex) -> float:
        terms = terms_of(phrase)
        if not terms:
            return -1.0
        borne_out = 0.5 * self._tally.purity(terms[-1], name)
        return borne_out + 0.3 * index.rarity(terms[-1]) + 0.2 * self._chance.random()


def _spellings(query: str) -> dict[str, str]:
    """Give each term of a query with the words as the customer spelt them."""
    words = words_of(query)
    spelt: dict[str, str] = {}
    for word in words:
        spelt.setdefault(stem(word), word)
    for left, right in pairwise(words):
        spelt.setdefault(f"{stem(left)} {stem(right)}", f"{left} {right}")
    return spelt
