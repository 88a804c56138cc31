from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gepa_cookbook_banking77.cards import (
    name_words,
    parse_cards,
    phrases_of,
    render_card,
    replace_cards,
    seed_cards,
)

NAMES = st.from_regex(r"[a-z_?]{1,12}", fullmatch=True)
PHRASES = st.lists(st.from_regex(r"[a-z0-9$]+( [a-z0-9]+)?", fullmatch=True), min_size=1, max_size=6)


def test_a_card_is_a_line_with_a_dash_and_a_colon() -> None:
    text = "Read this.\n- lost: card gone, stolen\nnote: no card\n-also: none\n  - pin:  code ; digits \n"
    assert parse_cards(text) == {"lost": "card gone, stolen", "pin": "code ; digits"}


def test_phrases_stand_between_commas_and_semicolons() -> None:
    assert phrases_of("card gone,, stolen ; lost wallet,") == ("card gone", "stolen", "lost wallet")


def test_a_colon_in_the_body_belongs_to_the_body() -> None:
    assert parse_cards("- pin: says: wrong") == {"pin": "says: wrong"}


def test_two_cards_of_one_intent_are_joined() -> None:
    assert parse_cards("- a: x\n- b: y\n- a: z") == {"a": "x, z", "b": "y"}
    assert parse_cards("- a:\n- a: z") == {"a": "z"}


@pytest.mark.parametrize("text", ["", "no cards here", "- : nameless", "-a: b", "- no colon"])
def test_a_text_without_cards_gives_none(text: str) -> None:
    assert parse_cards(text) == {}


def test_the_seed_knows_the_words_of_the_names_alone() -> None:
    text = seed_cards(["Refund_not_showing_up", "reverted_card_payment?"])
    assert text == (
        "- Refund_not_showing_up: refund not showing up\n- reverted_card_payment?: reverted card payment"
    )


def test_other_lines_stay_byte_for_byte() -> None:
    text = "Intro  \r\n- a: x\r\n\r\n   - b:   y \n- c: z"
    edited = replace_cards(text, {"a": ("x", "new")})
    assert edited == "Intro  \r\n- a: x, new\r\n\r\n   - b:   y \n- c: z"


def test_a_missing_card_is_added_at_the_end() -> None:
    assert replace_cards("- a: x", {"b": ("y",)}) == "- a: x\n- b: y"
    assert replace_cards("- a: x\n", {"b": ("y",)}) == "- a: x\n- b: y"
    assert replace_cards("", {"b": ("y",)}) == "- b: y"


def test_doubled_cards_become_one_when_they_are_rewritten() -> None:
    assert replace_cards("- a: x\n- b: y\n- a: z\n", {"a": ("x", "z")}) == "- a: x, z\n- b: y\n"


@given(st.dictionaries(NAMES, PHRASES, min_size=1, max_size=8))
def test_what_is_rendered_parses_back(cards: dict[str, list[str]]) -> None:
    text = "\n".join(render_card(name, phrases) for name, phrases in cards.items())
    parsed = {name: list(phrases_of(body)) for name, body in parse_cards(text).items()}
    assert parsed == cards


@given(st.text(max_size=200), st.dictionaries(NAMES, PHRASES, max_size=4))
def test_rewritten_cards_are_what_was_asked_for(text: str, cards: dict[str, list[str]]) -> None:
    edited = replace_cards(text, {name: tuple(phrases) for name, phrases in cards.items()})
    parsed = parse_cards(edited)
    for name, phrases in cards.items():
        assert list(phrases_of(parsed[name])) == phrases
    untouched = {name: body for name, body in parse_cards(text).items() if name not in cards}
    assert {name: body for name, body in parsed.items() if name not in cards} == untouched


def test_name_words_leave_punctuation_out() -> None:
    assert name_words("__Why?_verify-identity") == "why verify identity"
