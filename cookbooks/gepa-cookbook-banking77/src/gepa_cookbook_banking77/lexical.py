"""The lexical policy: matches a query against the cards. It knows the candidate's text and nothing else."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import attrs

from gepa_cookbook_banking77.cards import parse_cards, phrases_of
from gepa_cookbook_banking77.words import terms_of

#: A pair of words says less on its own than the words that it is made of.
PAIR_WEIGHT: Final = 0.5
#: Share of a card's length that its weights are divided by: 0 favours long cards, 1 short ones.
LENGTH_EXPONENT: Final = 0.5
_CACHED_INDEXES = 128


@attrs.frozen
class Ranking:
    """Intents by score, best first; equal scores in the order of their names.

    Attributes:
        names: Intents that share at least one term with the query.
        scores: Their scores.
    """

    names: tuple[str, ...]
    scores: Mapping[str, float]

    @property
    def answer(self) -> str | None:
        """The best intent; ``None`` where no card shares a word with the query."""
        return self.names[0] if self.names else None

    @property
    def runner_up(self) -> str | None:
        """The second best intent, where there is one."""
        return self.names[1] if len(self.names) > 1 else None


@attrs.frozen
class CardIndex:
    """Cards made ready for matching: TF-IDF, where each card is a document.

    Attributes:
        names: Intents that have a card, sorted.
        postings: Term to (position in `names`, weight).
    """

    names: tuple[str, ...]
    postings: Mapping[str, tuple[tuple[int, float], ...]]

    def scores(self, query: str) -> list[float]:
        """Give one score for each of `names`."""
        scores = [0.0] * len(self.names)
        postings = self.postings
        for term in terms_of(query):
            for position, weight in postings.get(term, ()):
                scores[position] += weight
        return scores

    def rank(self, query: str) -> Ranking:
        """Order the intents that share a term with the query."""
        scores = self.scores(query)
        order = sorted((-score, position) for position, score in enumerate(scores) if score > 0)
        names = tuple(self.names[position] for _, position in order)
        return Ranking(names=names, scores={self.names[position]: -score for score, position in order})

    def spread(self, term: str) -> int:
        """Give the number of cards that hold the term."""
        return len(self.postings.get(term, ()))

    def rarity(self, term: str) -> float:
        """Give how much a term says, by how few cards hold it."""
        return _rarity(len(self.names), self.spread(term))


@lru_cache(maxsize=_CACHED_INDEXES)
def index_cards(text: str, labels: tuple[str, ...]) -> CardIndex:
    """Make a candidate's text ready for matching; cards of unknown intents are left out."""
    return build_index({name: phrases_of(body) for name, body in parse_cards(text).items() if name in labels})


def build_index(cards: Mapping[str, tuple[str, ...]]) -> CardIndex:
    """Make cards, given as intent to phrases, ready for matching."""
    names = tuple(sorted(cards))
    counts = [Counter(term for phrase in cards[name] for term in terms_of(phrase)) for name in names]
    spread = Counter(term for terms in counts for term in terms)
    postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for position, terms in enumerate(counts):
        for term, weight in _weights(terms, spread, len(names)).items():
            postings[term].append((position, weight))
    return CardIndex(names=names, postings={term: tuple(entries) for term, entries in postings.items()})


def _weights(terms: Mapping[str, int], spread: Mapping[str, int], cards: int) -> dict[str, float]:
    raw = {term: (1 + math.log(count)) * _weight(term, spread, cards) for term, count in terms.items()}
    length = math.sqrt(math.fsum(weight * weight for weight in raw.values()))
    return {term: weight / length**LENGTH_EXPONENT for term, weight in raw.items()}


def _weight(term: str, spread: Mapping[str, int], cards: int) -> float:
    return _rarity(cards, spread[term]) * (PAIR_WEIGHT if " " in term else 1.0)


def _rarity(cards: int, holders: int) -> float:
    return math.log((cards + 1) / (holders + 0.5))
