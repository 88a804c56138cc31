"""Two texts beside each other: nothing is lost, and what is marked is what differs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gepa_framework.app.inspect import texts
from gepa_framework.app.inspect.texts import diff_components, diff_lines, diff_words

some_text = st.text(alphabet="ab .\n\t\u2028é", max_size=30)


def joined(spans):
    return "".join(span.text for span in spans)


def unmarked(spans):
    return "".join(span.text for span in spans if not span.changed)


@given(some_text, some_text)
def test_the_pieces_of_a_line_make_up_the_line(before, after):
    left, right = diff_words(before, after)
    assert (joined(left), joined(right)) == (before, after)
    assert unmarked(left) == unmarked(right)


@given(some_text, some_text)
def test_both_texts_can_be_read_off_what_stands_side_by_side(before, after):
    one, other = before.split("\n"), after.split("\n")
    pairs = list(diff_lines(one, other))
    assert [joined(pair.before.spans) for pair in pairs if pair.before] == one
    assert [joined(pair.after.spans) for pair in pairs if pair.after] == other
    assert [pair.before.number for pair in pairs if pair.before] == list(range(1, len(one) + 1))
    for pair in pairs:
        if pair.kind == "equal":
            assert joined(pair.before.spans) == joined(pair.after.spans)


def test_only_the_words_that_differ_are_marked():
    left, right = diff_words("answer the question briefly", "answer each question briefly")
    assert [span.text for span in left if span.changed] == ["the"]
    assert [span.text for span in right if span.changed] == ["each"]


def test_components_are_told_apart_by_what_became_of_them():
    before = {"same": "x", "changed": "one\ntwo", "gone": "y"}
    after = {"same": "x", "changed": "one\nthree", "new": "z"}
    diffs = {each.component: each for each in diff_components(before, after)}
    kinds = {name: each.kind for name, each in diffs.items()}
    assert kinds == {"same": "equal", "changed": "changed", "gone": "removed", "new": "added"}
    assert diffs["same"].unified == ""
    assert diffs["changed"].unified.splitlines() == [
        "--- a/changed",
        "+++ b/changed",
        "@@ -1,2 +1,2 @@",
        " one",
        "-two",
        "+three",
    ]


def test_texts_too_long_to_compare_are_taken_as_wholly_different(monkeypatch):
    monkeypatch.setattr(texts, "_MOST_LINES", 3)
    (diff,) = diff_components({"a": "one\ntwo"}, {"a": "one\n2"})
    assert [pair.kind for pair in diff.lines] == ["changed", "changed"]
    assert "-one" in diff.unified.splitlines()
