from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gepa_framework.engine.editing import EditError, apply_edits
from gepa_framework.types import Edit

# Few letters, so that pieces occur several times and overlap.
scant = st.text("ab\n", max_size=12)
edits_of = st.lists(st.builds(Edit, scant, scant), max_size=4)


def by_the_book(text: str, edits: list[Edit]) -> str | None:
    """Apply edits by looking at every place of the text; ``None`` when one cannot be made."""
    for edit in edits:
        size = len(edit.search)
        places = [at for at in range(len(text)) if size and text[at : at + size] == edit.search]
        if len(places) != 1:
            return None
        text = text[: places[0]] + edit.replace + text[places[0] + size :]
    return text


@given(scant, edits_of)
def test_edits_give_what_the_book_says(text, edits):
    expected = by_the_book(text, edits)
    if expected is None:
        with pytest.raises(EditError):
            apply_edits(text, edits)
    else:
        assert apply_edits(text, edits) == expected


@given(st.text(max_size=40), st.text(max_size=10), st.text(min_size=1, max_size=10))
def test_a_piece_that_stands_once_is_replaced_and_nothing_else(head, new, tail):
    mark = "\x00once\x00"
    text = head.replace("\x00", "") + mark + tail.replace("\x00", "")
    assert apply_edits(text, [Edit(mark, new)]) == text.replace(mark, new)


def test_a_later_edit_sees_what_the_earlier_ones_made():
    assert apply_edits("one two", [Edit("one", "three"), Edit("three two", "four")]) == "four"


def test_no_edits_change_nothing():
    assert apply_edits(" as it is\n", []) == " as it is\n"


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (Edit("absent", "x"), "edit 2 of 2 must find its piece exactly once, and 'absent' occurs 0 times"),
        (Edit("a", "x"), "'a' occurs 3 times"),
        (Edit("aa", "x"), "'aa' occurs 2 times"),
        (Edit("", "x"), "edit 2 of 2: there is nothing to search for"),
        (Edit(3, "x"), "edit 2 of 2: search is int, not a string"),
        (Edit("b", None), "edit 2 of 2: replace is NoneType, not a string"),
    ],
)
def test_a_fault_says_which_edit_and_how_often(edit, fault):
    with pytest.raises(EditError) as caught:
        apply_edits("first aaa b", [Edit("first", "1st"), edit])
    assert fault in str(caught.value)


def test_a_long_piece_is_quoted_in_part():
    with pytest.raises(EditError) as caught:
        apply_edits("text", [Edit("y" * 5_000, "")])
    assert "(5000 characters) occurs 0 times" in str(caught.value)
    assert len(str(caught.value)) < 250


def test_what_occurs_very_often_is_counted_in_bounded_time():
    with pytest.raises(EditError, match="occurs 100 times or more"):
        apply_edits("a" * 200_000, [Edit("a" * 100_000, "")])
