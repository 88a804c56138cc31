from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gepa_cookbook_banking77.words import stem, terms_of, words_of


@pytest.mark.parametrize(
    "words",
    [
        ("charge", "charged", "charges", "charging"),
        ("transfer", "transferred", "transfers", "transferring"),
        ("country", "countries"),
        ("pass", "passes"),
        ("arrive", "arrived", "arriving"),
    ],
)
def test_forms_of_a_word_have_one_stem(words: tuple[str, ...]) -> None:
    assert len({stem(word) for word in words}) == 1


@pytest.mark.parametrize(("one", "other"), [("pin", "ping"), ("card", "care"), ("bus", "bu"), ("red", "r")])
def test_different_words_keep_different_stems(one: str, other: str) -> None:
    assert stem(one) != stem(other)


def test_apostrophes_vanish_and_case_does_not_matter() -> None:
    assert words_of("My card HASN'T come; isn\u2019t 5\u20ac much?") == (
        *("my", "card", "hasnt", "come"),
        *("isnt", "5\u20ac", "much"),
    )


def test_terms_are_stems_and_neighbouring_pairs_each_once() -> None:
    assert terms_of("lost card, lost cards") == ("lost", "card", "lost card", "card lost")


@given(st.text(max_size=80))
def test_any_text_gives_terms_without_surprise(text: str) -> None:
    terms = terms_of(text)
    assert len(set(terms)) == len(terms)
    assert all(term and "," not in term for term in terms)
