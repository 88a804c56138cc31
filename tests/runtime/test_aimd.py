from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gepa_framework.runtime import Aimd, AimdRule


def aimd(width=8, *, least=1, most=16, **options):
    return Aimd(AimdRule(width, least, most, **options))


def test_an_overload_halves_the_width_down_to_its_min():
    policy = aimd(11, least=2)
    widths = [policy.width]
    while policy.overloaded(policy.epoch):
        widths.append(policy.width)
    assert widths == [11, 5, 2]


@pytest.mark.parametrize(
    ("width", "step", "narrower"), [(16, 3, 13), (16, 8, 8), (16, 9, 8), (5, 9, 2), (2, 1, 1)]
)
def test_a_step_that_is_written_is_taken_but_never_more_than_half(width, step, narrower):
    policy = aimd(width, decrease_step=step)
    assert policy.overloaded(0)
    assert policy.width == narrower


def test_refusals_of_one_moment_are_one_reason_to_become_narrower():
    policy = aimd(16)
    assert [policy.overloaded(0) for _ in range(10)] == [True, *[False] * 9]
    assert policy.width == 8
    assert policy.overloaded(1)
    assert policy.width == 4


def test_successes_widen_step_by_step_up_to_the_max():
    policy = aimd(4, most=9, increase_step=2, increase_after=3)
    widths = []
    for _ in range(12):
        policy.succeeded(0)
        widths.append(policy.width)
    assert widths == [4, 4, 6, 6, 6, 8, 8, 8, 9, 9, 9, 9]


def test_a_success_tells_when_the_width_changes_and_only_then():
    policy = aimd(1, most=2, increase_after=2)
    assert [policy.succeeded(0) for _ in range(6)] == [False, True, False, False, False, False]


def test_an_overload_in_between_makes_the_successes_before_it_count_for_nothing():
    policy = aimd(8, increase_after=2)
    policy.succeeded(0)
    policy.overloaded(0)
    assert not policy.succeeded(1)
    assert policy.succeeded(1)
    assert policy.width == 5


def test_an_overload_at_the_min_changes_nothing_but_makes_successes_begin_anew():
    policy = aimd(1, increase_after=2)
    policy.succeeded(0)
    assert not policy.overloaded(0)
    assert (policy.width, policy.epoch) == (1, 0)
    assert not policy.succeeded(0)
    assert policy.succeeded(0)


def test_answers_to_what_was_sent_at_a_greater_width_widen_nothing():
    policy = aimd(8, increase_after=1)
    policy.overloaded(0)
    assert not policy.succeeded(0)
    assert policy.succeeded(1)


@pytest.mark.parametrize(("initial", "width"), [(0, 2), (5, 5), (50, 9)])
def test_the_first_width_is_within_bounds(initial, width):
    assert aimd(initial, least=2, most=9).width == width


def test_a_fixed_width_has_no_overload():
    rule = AimdRule.fixed(7)
    policy = Aimd(rule)
    assert rule.overload == frozenset()
    assert not any(policy.succeeded(0) for _ in range(100))
    assert policy.width == 7


def test_every_sequence_of_few_answers_keeps_the_bounds():
    for answers in itertools.product("sox", repeat=9):
        policy = aimd(3, least=1, most=4, increase_after=2, increase_step=2)
        for answer in answers:
            before, epoch = policy.width, policy.epoch
            sent = epoch if answer != "x" else epoch - 1
            changed = policy.succeeded(sent) if answer == "s" else policy.overloaded(sent)
            assert 1 <= policy.width <= 4
            assert changed == (policy.width != before)
            assert policy.epoch == epoch + (policy.width < before)
            assert answer != "x" or policy.width == before


@st.composite
def rules(draw):
    least = draw(st.integers(1, 20))
    return AimdRule(
        initial=draw(st.integers(0, 200)),
        min=least,
        max=least + draw(st.integers(0, 100)),
        increase_step=draw(st.integers(1, 30)),
        decrease_step=draw(st.none() | st.integers(1, 30)),
        increase_after=draw(st.integers(1, 5)),
    )


@given(rules(), st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=80))
def test_the_width_stays_within_bounds_and_comes_back_when_the_storm_is_over(rule, answers):
    policy = Aimd(rule)
    for good, late in answers:
        before = policy.width
        (policy.succeeded if good else policy.overloaded)(max(policy.epoch - late, 0))
        assert rule.min <= policy.width <= rule.max
        assert policy.width >= before // 2
    for _ in range(((rule.max - rule.min) // rule.increase_step + 1) * rule.increase_after):
        policy.succeeded(policy.epoch)
    assert policy.width == rule.max, "nobody starves"


@given(bears=st.integers(1, 40), most=st.integers(1, 64))
def test_the_width_settles_near_what_a_container_bears(bears, most):
    """Rounds in which all that is sent together is answered together."""
    policy, widths = aimd(most, most=most, increase_after=4), []
    for _ in range(400):
        epoch, sent = policy.epoch, policy.width
        widths.append(sent)
        for place in range(sent):
            (policy.succeeded if place < bears else policy.overloaded)(epoch)
    settled = widths[200:]
    ideal = min(bears, most)
    assert max(settled) <= ideal * 1.25 + 2
    assert sum(min(width, bears) for width in settled) / len(settled) >= 0.6 * ideal
