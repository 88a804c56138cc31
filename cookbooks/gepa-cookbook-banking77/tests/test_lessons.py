from __future__ import annotations

from collections.abc import Callable

import pytest

from gepa_cookbook_banking77.lessons import Lesson, Tally, read_lessons
from gepa_framework.types import EvidenceFrame, FailureKind, RolloutFailure

QUERY = "Where is my card?"


def test_what_the_container_says_is_read(frame_of: Callable[..., EvidenceFrame]) -> None:
    frames = [frame_of(QUERY, "pin", "lost"), frame_of(QUERY, "lost", "lost")]
    assert read_lessons(frames) == (Lesson(QUERY, "lost", missed=True), Lesson(QUERY, "lost", missed=False))


@pytest.mark.parametrize(
    "fields",
    [
        {"inputs": {"query": QUERY, "label": "lost"}},
        {"inputs": {"text": QUERY, "category": "lost"}},
        {"inputs": {"query": QUERY}, "side_info": {"expected": "lost"}},
        {"inputs": {"query": QUERY}, "feedback": {"expected": "lost"}},
        {"inputs": {}, "feedback": {"actionable_side_info": {"query": QUERY, "expected": "lost"}}},
        {"inputs": {}, "output": {"query": QUERY, "expected": "lost"}},
    ],
)
def test_other_places_are_read_too(fields: dict[str, dict[str, object]]) -> None:
    frame = EvidenceFrame(row_id="r", reward=0.0, **fields)
    assert read_lessons([frame]) == (Lesson(QUERY, "lost", missed=True),)


def test_a_failed_rollout_and_a_nameless_frame_teach_nothing() -> None:
    failure = RolloutFailure(kind=FailureKind.TIMEOUT, code="timeout", message="too slow")
    frames = [
        EvidenceFrame(row_id="a", inputs={"query": QUERY, "label": "lost"}, reward=None, failure=failure),
        EvidenceFrame(row_id="b", inputs={"query": QUERY}, reward=0.0),
        EvidenceFrame(row_id="c", inputs={"query": 7, "label": "lost"}, reward=0.0),
    ]
    assert read_lessons(frames) == ()


def test_the_tally_counts_queries_not_words() -> None:
    tally = Tally.of([Lesson("card card", "lost", True), Lesson("my card", "pin", False)])
    assert (tally.total["card"], tally.count("card", "lost"), tally.count("card", "refund")) == (2, 1, 0)
    assert tally.purity("card", "lost") == pytest.approx(1 / 3)
    assert tally.purity("my", "pin") == 0.5
    assert tally.purity("unheard", "pin") == 0.0
