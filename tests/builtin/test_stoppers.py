from __future__ import annotations

import math

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gepa_framework.builtin import deadline, max_iterations, no_improvement, score_threshold
from gepa_framework.types import Capability, RunView, StopReason

STOPPERS = {
    "deadline": (deadline, {"seconds": 60.0}, "elapsed_seconds"),
    "max_iterations": (max_iterations, {"iterations": 5}, "iteration"),
    "no_improvement": (no_improvement, {"iterations": 5}, "iterations_since_improvement"),
    "score_threshold": (score_threshold, {"score": 0.75}, "best_score"),
}


def build(name: str):
    module, options, _ = STOPPERS[name]
    return module.gepa_make_stopper(module.plugin_info.config(**options))


def view(name: str, value: float) -> RunView:
    return attrs.evolve(RunView(), **{STOPPERS[name][2]: value})


@pytest.mark.parametrize("name", STOPPERS)
def test_a_fresh_run_goes_on(name):
    assert build(name).check(RunView()) is None


@pytest.mark.parametrize("name", STOPPERS)
def test_the_limit_itself_stops_and_just_below_does_not(name):
    limit = next(iter(STOPPERS[name][1].values()))
    below = limit - 1 if isinstance(limit, int) else math.nextafter(limit, -math.inf)
    assert build(name).check(view(name, below)) is None
    reason = build(name).check(view(name, limit))
    assert (reason.kind, reason.limit, reason.value) == (name, limit, limit)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("deadline", 61.25, "The run has been worked on for 61.2 s, the deadline is 60 s."),
        ("max_iterations", 6, "6 iterations are finished, the limit is 5."),
        ("no_improvement", 7, "The best score has not risen for 7 iterations, the limit is 5."),
        ("score_threshold", 0.8125, "The best score is 0.8125, the threshold is 0.75."),
    ],
)
def test_the_reason_is_one_sentence_with_numbers(name, value, message):
    assert build(name).check(view(name, value)).message == message


@pytest.mark.parametrize("name", STOPPERS)
@settings(deadline=None)
@given(value=st.floats(0, 200) | st.integers(0, 200), more=st.integers(0, 200))
def test_once_over_it_stays_over(name, value, more):
    stopper = build(name)
    if stopper.check(view(name, value)) is not None:
        assert isinstance(stopper.check(view(name, value + more)), StopReason)


def test_no_score_yet_is_no_score_reached():
    stopper = score_threshold.gepa_make_stopper(score_threshold.ScoreThresholdConfig(score=-1.0))
    assert stopper.check(RunView(best_score=None)) is None
    assert stopper.check(RunView(best_score=-1.0)).value == -1.0


def test_only_the_deadline_watches_the_clock():
    watching = {
        name
        for name, (module, _, _) in STOPPERS.items()
        if Capability.WATCHES_CLOCK in module.plugin_info.capabilities
    }
    assert watching == {"deadline"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("deadline", 0.0),
        ("deadline", -1.0),
        ("deadline", math.inf),
        ("deadline", math.nan),
        ("max_iterations", 0),
        ("max_iterations", -3),
        ("no_improvement", 0),
        ("score_threshold", math.nan),
        ("score_threshold", math.inf),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(name, value):
    module, options, _ = STOPPERS[name]
    field = next(iter(options))
    with pytest.raises(ValueError, match=f"'{field}' must be"):
        module.plugin_info.config(**{field: value})
