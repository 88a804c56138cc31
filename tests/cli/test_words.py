from __future__ import annotations

import pytest

from gepa_framework.cli import words


def test_unknown_is_never_zero() -> None:
    assert (words.score(None), words.dollars(None)) == ("unknown", "unknown")
    assert (words.score(0.0), words.dollars(0.0)) == ("0.000", "$0.0000")


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.9, "0:59"), (61, "1:01"), (3725, "1:02:05")])
def test_durations_read_like_a_clock(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


def test_counts_agree_with_their_noun() -> None:
    assert [words.count(number, "row") for number in (0, 1, 2000)] == ["0 rows", "1 row", "2,000 rows"]


def test_a_text_of_others_becomes_one_short_line() -> None:
    assert words.one_line("a\n\n b\t c") == "a b c"
    assert words.one_line("x" * 500, limit=10) == "xxxxxxxxx…"


def test_control_characters_are_made_visible() -> None:
    assert words.clean("a\x1b[2J\x07b\n\tc\u202e\udc80") == "a\ufffd[2J\ufffdb\n\tc\ufffd\ufffd"


def test_columns_are_aligned_without_trailing_spaces() -> None:
    assert words.table([("a", "bb"), ("ccc", "")], indent=" ") == [" a    bb", " ccc"]
    assert words.table([]) == []
