"""Policies: who answers a query with the candidate's cards in hand. The rollout's ``policy`` chooses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

import attrs

from gepa_cookbook_banking77.lexical import index_cards

JSON: TypeAlias = "Mapping[str, object]"

DEFAULT_PROVIDER: Final = "lexical"
FREE: Final[JSON] = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, "cost_usd": 0.0}
_NO_CARDS = "the candidate holds no card of a known intent; write one to a line as `- intent: phrase, phrase`"


class PolicyError(Exception):
    """A policy could not answer; the rollout is a failed one, not a wrong answer.

    Args:
        code: Stable short name of what went wrong.
        message: What went wrong, free of secrets.
        retryable: Whether asking again may help.
        http_status: The provider's status, where there was one.
        retry_after: Seconds that the provider asked to be left alone.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retryable: bool = False,
        http_status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable
        self.http_status = http_status
        self.retry_after = retry_after


@attrs.frozen
class Verdict:
    """What a policy answered.

    Attributes:
        answer: The intent; ``None`` where what came is none.
        usage: Tokens and money, in the words of the container contract.
        notes: What else may help to improve the cards.
        said: What came instead, where it is no intent.
    """

    answer: str | None
    usage: JSON = attrs.field(factory=lambda: FREE)
    notes: JSON = attrs.field(factory=dict)
    said: str = ""


@attrs.frozen
class Question:
    """What a policy is asked.

    Attributes:
        query: The customer's words.
        cards: The candidate's text.
        labels: Every intent there is.
        expected: The right intent; used to say how far the answer was off, never to find it.
        policy: The rollout's ``policy`` as sent.
    """

    query: str
    cards: str
    labels: tuple[str, ...]
    expected: str
    policy: JSON


Policy: TypeAlias = "Callable[[Question], Awaitable[Verdict]]"


async def ask_lexical(question: Question) -> Verdict:
    """Answer by the words that query and cards share."""
    index = index_cards(question.cards, question.labels)
    if not index.names:
        return Verdict(answer=None, said=_NO_CARDS)
    ranking = index.rank(question.query)
    shown = dict.fromkeys((*ranking.names[:3], question.expected))
    notes = {
        "runner_up": ranking.runner_up,
        "scores": {name: round(ranking.scores.get(name, 0.0), 4) for name in shown},
    }
    said = "" if ranking.names else "no card shares a word with the query"
    return Verdict(answer=ranking.answer, notes=notes, said=said)


def choose_policy(policy: JSON, known: Mapping[str, Policy]) -> Policy:
    """Give the policy that ``provider`` names.

    Raises:
        PolicyError: There is none of that name.
    """
    provider = policy.get("provider") or DEFAULT_PROVIDER
    chosen = known.get(provider) if isinstance(provider, str) else None
    if chosen is None:
        raise PolicyError(
            "policy_provider_unknown",
            f"[policy] provider = {provider!r} is unknown here; this container has {', '.join(known)}",
        )
    return chosen
