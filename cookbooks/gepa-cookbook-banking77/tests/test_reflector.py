from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gepa_cookbook_banking77.cards import card_of, parse_cards, phrases_of, render_card
from gepa_cookbook_banking77.lessons import Lesson
from gepa_cookbook_banking77.lexical import index_cards
from gepa_cookbook_banking77.reflector import Limits, revise
from gepa_cookbook_banking77.words import words_of

INTENTS = ("lost_card", "forgotten_pin", "refund_status", "close_account")
WORDS = st.sampled_from(
    [
        "card",
        "stolen",
        "gone",
        "wallet",
        "pin",
        "digits",
        "code",
        "forgot",
        "refund",
        "money",
        "shop",
        "my",
        "i",
    ]
)
QUERIES = st.lists(WORDS, min_size=1, max_size=8).map(" ".join)
LESSONS = st.lists(
    st.builds(Lesson, QUERIES, st.sampled_from(INTENTS), st.booleans()), min_size=1, max_size=12
)
CARDS = st.dictionaries(st.sampled_from(INTENTS), st.lists(QUERIES, min_size=1, max_size=12), max_size=4)
TEXTS = CARDS.map(lambda cards: "\n".join(render_card(name, phrases) for name, phrases in cards.items()))
LOTS = st.integers(0, 2**64 - 1).map(str)

SEED = """\
Sort by intent.
- lost_card: lost card
- forgotten_pin: forgotten pin
- refund_status: refund status
"""


def card(text: str, name: str) -> tuple[str, ...]:
    return phrases_of(parse_cards(text)[name])


def test_a_missed_query_puts_its_words_on_the_right_card() -> None:
    lesson = Lesson("my wallet was stolen", "lost_card", missed=True)
    revision = revise(SEED, [lesson], Limits(), "1")
    assert {"wallet", "stolen"} & {
        word for phrase in card(revision.text, "lost_card") for word in phrase.split()
    }
    assert index_cards(revision.text, INTENTS).rank(lesson.query).answer == "lost_card"
    assert revision.intents == ("lost_card",)
    assert (revision.added, revision.struck) == (3, 0)


def test_a_misleading_phrase_is_struck_from_the_card_that_won() -> None:
    text = SEED.replace("forgotten pin", "forgotten pin, wallet")
    revision = revise(text, [Lesson("wallet", "lost_card", missed=True)], Limits(passes=1), "1")
    assert card(revision.text, "forgotten_pin") == ("forgotten pin",)
    assert revision.struck == 1


def test_a_phrase_that_other_lessons_bear_out_is_not_struck() -> None:
    text = SEED.replace("forgotten pin", "forgotten pin, wallet")
    lessons = [
        Lesson("wallet", "lost_card", missed=True),
        Lesson("pin in my wallet", "forgotten_pin", missed=False),
    ]
    assert "wallet" in card(revise(text, lessons, Limits(), "1").text, "forgotten_pin")


def test_the_first_phrase_of_a_card_is_never_struck() -> None:
    lessons = [Lesson("status of my card", "lost_card", missed=True)]
    assert card(revise(SEED, lessons, Limits(), "1").text, "refund_status") == ("refund status",)


def test_a_clear_winner_is_left_alone() -> None:
    revision = revise(SEED, [Lesson("I have lost my card", "lost_card", missed=False)], Limits(), "1")
    assert (revision.text, revision.added, revision.struck, revision.intents) == (SEED, 0, 0, ())


def test_an_intent_without_a_card_gets_one() -> None:
    revision = revise(SEED, [Lesson("I am leaving you", "close_account", missed=True)], Limits(), "1")
    assert card(revision.text, "close_account")[0] == "close account"
    assert revision.text.startswith(SEED)


def test_a_full_card_keeps_its_first_phrase_and_what_is_borne_out() -> None:
    text = "- lost_card: lost card, aa, bb, cc, dd\n- forgotten_pin: forgotten pin"
    lessons = [Lesson("stolen", "lost_card", missed=True), Lesson("stolen today", "lost_card", missed=True)]
    phrases = card(revise(text, lessons, Limits(phrases_per_card=3, noise=0), "1").text, "lost_card")
    assert len(phrases) == 3
    assert phrases[0] == "lost card"
    assert "stolen" in phrases


def test_other_draws_give_other_edits() -> None:
    lessons = [Lesson("I think a thief has my purse and keys since noon", "lost_card", missed=True)]
    assert len({revise(SEED, lessons, Limits(), str(lot)).text for lot in range(8)}) > 1


@given(TEXTS, LESSONS, LOTS)
def test_equal_requests_give_equal_texts(text: str, lessons: list[Lesson], lot: str) -> None:
    assert revise(text, lessons, Limits(), lot) == revise(text, lessons, Limits(), lot)


@given(TEXTS, LESSONS, LOTS)
def test_the_edited_text_parses_and_keeps_every_card(text: str, lessons: list[Lesson], lot: str) -> None:
    before, after = parse_cards(text), parse_cards(revise(text, lessons, Limits(), lot).text)
    assert set(before) <= set(after) <= set(before) | {lesson.expected for lesson in lessons}
    assert all(phrases_of(body) for body in after.values())


@given(TEXTS, LESSONS, LOTS, st.integers(1, 6))
def test_an_edited_card_is_never_longer_than_allowed(
    text: str, lessons: list[Lesson], lot: str, most: int
) -> None:
    revision = revise(text, lessons, Limits(phrases_per_card=most), lot)
    for name in revision.intents:
        assert len(card(revision.text, name)) <= most


@given(TEXTS, LESSONS, LOTS)
def test_lines_of_other_intents_are_not_touched(text: str, lessons: list[Lesson], lot: str) -> None:
    text = f"# notes\n{text}\n\nthe end"
    revision = revise(text, lessons, Limits(), lot)

    def others(lines: str) -> list[str]:
        return [line for line in lines.splitlines() if _intent(line) not in revision.intents]

    assert others(revision.text) == others(text)


def _intent(line: str) -> str | None:
    found = card_of(line)
    return found[0] if found else None


@given(TEXTS, LESSONS, LOTS)
def test_every_word_comes_from_the_text_or_the_evidence(text: str, lessons: list[Lesson], lot: str) -> None:
    known = set(words_of(text)) | {word for one in lessons for word in words_of(one.query)}
    known |= {word for one in lessons for word in words_of(one.expected.replace("_", " "))}
    assert set(words_of(revise(text, lessons, Limits(), lot).text)) <= known


@given(TEXTS, LESSONS, LOTS, st.integers(1, 5))
def test_edits_stay_within_their_number(text: str, lessons: list[Lesson], lot: str, most: int) -> None:
    limits = Limits(max_edits=most)
    revision = revise(text, lessons, limits, lot)
    assert revision.added + revision.struck < most + limits.phrases_per_miss + 1
