"""Lessons: what the evidence of a proposal request teaches, and how often words went with intents in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import attrs

from gepa_cookbook_banking77.words import terms_of
from gepa_framework.types import EvidenceFrame, JSONObject, JSONValue

_FULL_REWARD = 1.0
_QUERY = ("query", "text")
_EXPECTED = ("expected", "label", "category")


@attrs.frozen
class Lesson:
    """One training query and its right intent.

    Attributes:
        query: What the customer wrote.
        expected: The right intent.
        missed: Whether the candidate got it wrong.
    """

    query: str
    expected: str
    missed: bool


def read_lessons(frames: Iterable[EvidenceFrame]) -> tuple[Lesson, ...]:
    """Read the frames that hold a query and its intent; those of failed rollouts teach nothing."""
    lessons: list[Lesson] = []
    for frame in frames:
        places = _places(frame)
        query, expected = _first(places, _QUERY), _first(places, _EXPECTED)
        if frame.reward is not None and query and expected:
            lessons.append(Lesson(query, expected, missed=frame.reward < _FULL_REWARD))
    return tuple(lessons)


def _places(frame: EvidenceFrame) -> tuple[JSONObject, ...]:
    nested = frame.feedback.get("actionable_side_info")
    candidates: tuple[JSONValue, ...] = (frame.side_info, frame.feedback, nested, frame.inputs, frame.output)
    return tuple(place for place in candidates if isinstance(place, Mapping))


def _first(places: Iterable[JSONObject], names: tuple[str, ...]) -> str:
    values = (place.get(name) for place in places for name in names)
    return next((value for value in values if isinstance(value, str) and value.strip()), "")


@attrs.frozen
class Tally:
    """How many queries hold a term: in all, and by intent.

    Attributes:
        total: Term to queries.
        by_intent: Intent to term to queries.
    """

    total: Mapping[str, int]
    by_intent: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, lessons: Iterable[Lesson]) -> Tally:
        """Count."""
        total: Counter[str] = Counter()
        by_intent: dict[str, Counter[str]] = defaultdict(Counter)
        for lesson in lessons:
            terms = terms_of(lesson.query)
            total.update(terms)
            by_intent[lesson.expected].update(terms)
        return cls(total=total, by_intent=dict(by_intent))

    def count(self, term: str, intent: str) -> int:
        """Give the queries of an intent that hold a term."""
        return self.by_intent.get(intent, {}).get(term, 0)

    def purity(self, term: str, intent: str) -> float:
        """Give the share of the intent among the queries that hold the term, shy of rare terms; 0 to 1."""
        return self.count(term, intent) / (self.total.get(term, 0) + 1)
