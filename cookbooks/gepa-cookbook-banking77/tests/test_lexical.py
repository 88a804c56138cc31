from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gepa_cookbook_banking77.cards import seed_cards
from gepa_cookbook_banking77.data import Dataset
from gepa_cookbook_banking77.lexical import build_index, index_cards
from gepa_cookbook_banking77.policies import Question, ask_lexical

LABELS = ("lost", "pin", "refund")
CARDS = "- lost: card gone, stolen\n- pin: code, four digits\n- refund: money back"


def verdict_of(query: str, cards: str = CARDS, expected: str = "lost") -> Any:
    question = Question(query=query, cards=cards, labels=LABELS, expected=expected, policy={})
    return asyncio.run(ask_lexical(question))


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("Somebody has STOLEN it", "lost"),
        ("which digit?", "pin"),
        ("I want my money back", "refund"),
        ("hello there", None),
        ("", None),
    ],
)
def test_the_card_that_shares_words_is_answered(query: str, answer: str | None) -> None:
    assert verdict_of(query).answer == answer


def test_a_pair_of_words_in_order_counts_more_than_the_words_apart() -> None:
    cards = "- lost: back money\n- refund: money back"
    assert verdict_of("the money back please", cards).answer == "refund"


def test_a_word_on_every_card_says_less_than_a_rare_one() -> None:
    cards = "- lost: card, card gone\n- pin: card, card\n- refund: card, money"
    assert verdict_of("card money", cards).answer == "refund"


def test_a_word_said_twice_on_a_card_weighs_more() -> None:
    assert verdict_of("word", "- lost: word, other\n- refund: word, word, other").answer == "refund"


def test_equal_scores_go_by_name() -> None:
    assert verdict_of("word", "- refund: word\n- lost: word\n- pin: word").answer == "lost"


def test_cards_of_unknown_intents_are_ignored() -> None:
    assert verdict_of("stolen", "- theft: stolen\n- lost: stolen goods").answer == "lost"


def test_an_intent_without_a_card_is_never_answered() -> None:
    assert verdict_of("stolen money", "- pin: code\n- refund: money").answer == "refund"


@pytest.mark.parametrize("cards", ["", "just prose", "- theft: stolen"])
def test_a_text_without_a_known_card_says_so(cards: str) -> None:
    verdict = verdict_of("stolen", cards)
    assert verdict.answer is None
    assert "no card of a known intent" in verdict.said


def test_the_notes_hold_runner_up_and_the_score_of_the_right_intent() -> None:
    verdict = verdict_of("stolen code", expected="refund")
    assert {verdict.answer, verdict.notes["runner_up"]} == {"lost", "pin"}
    assert verdict.notes["scores"]["refund"] == 0.0
    assert verdict.notes["scores"][verdict.answer] >= verdict.notes["scores"][verdict.notes["runner_up"]] > 0


@given(st.text(max_size=60), st.text(max_size=120))
def test_any_text_is_survived(query: str, cards: str) -> None:
    assert verdict_of(query, cards).answer in {None, *LABELS}


def test_the_expected_intent_never_changes_the_answer(sample: Dataset) -> None:
    cards = seed_cards(sample.labels)
    for row in sample.splits["train"][:40]:
        answers = {
            asyncio.run(ask_lexical(Question(row.query, cards, sample.labels, expected, {}))).answer
            for expected in (row.label, sample.labels[0], "nothing")
        }
        assert len(answers) == 1


def test_the_order_of_the_cards_does_not_matter(sample: Dataset) -> None:
    forth = build_index({name: (name.replace("_", " "),) for name in sample.labels})
    back = build_index({name: (name.replace("_", " "),) for name in reversed(sample.labels)})
    for row in sample.splits["test"]:
        assert forth.rank(row.query) == back.rank(row.query)


def test_threads_get_what_one_thread_gets(sample: Dataset) -> None:
    queries = [row.query for row in sample.splits["train"]] * 4
    alone = [index_cards(seed_cards(sample.labels), sample.labels).rank(query).answer for query in queries]
    index_cards.cache_clear()

    def ask(query: str) -> str | None:
        return index_cards(seed_cards(sample.labels), sample.labels).rank(query).answer

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, queries)) == alone


def test_a_text_is_indexed_once(sample: Dataset) -> None:
    text = seed_cards(sample.labels)
    assert index_cards(text, sample.labels) is index_cards(text, sample.labels)
