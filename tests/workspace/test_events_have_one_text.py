from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gepa_framework.types import body_fields, compact_json
from gepa_framework.types.events import RolloutCompleted
from gepa_framework.workspace import event_text
from gepa_framework.workspace.event_text import _completed_text

TEXT = st.text(st.characters(codec=None), max_size=12)
NUMBER = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(), st.booleans())
COMPLETED = st.builds(
    RolloutCompleted,
    candidate_id=TEXT,
    row_id=TEXT,
    stage=TEXT,
    iteration=st.integers(0, 10**6),
    reward=NUMBER,
    objectives=st.dictionaries(TEXT, NUMBER, max_size=2),
    cost_usd=st.none() | NUMBER,
    total_tokens=st.none() | NUMBER,
)


@given(COMPLETED)
def test_the_quick_text_of_a_rollout_is_the_text(event):
    assert event_text(event) == compact_json(body_fields(event))


def completed(**changes):
    fields = {
        "candidate_id": "c",
        "row_id": "r",
        "stage": "heldout",
        "iteration": 1,
        "reward": 0.5,
        "objectives": {},
        "cost_usd": None,
        "total_tokens": 7,
    }
    return RolloutCompleted(**{**fields, **changes})


def test_a_usual_rollout_has_a_quick_text():
    assert _completed_text(completed()) is not None
    assert _completed_text(completed(cost_usd=0.0, total_tokens=None)) is not None


@pytest.mark.parametrize("field", ["reward", "cost_usd"])
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_json_stays_no_json(field, number):
    with pytest.raises(ValueError, match="not JSON compliant"):
        event_text(completed(**{field: number}))
