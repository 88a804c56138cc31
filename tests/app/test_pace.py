from __future__ import annotations

import pytest

from gepa_framework.app.pace import aimd_rule, call_limits
from gepa_framework.config.sections.gepa import GepaSection
from gepa_framework.config.sections.pipeline import AdaptiveRolloutsTable, PipelineTable, WorkersTable
from gepa_framework.runtime import AimdRule, CallLimits


def rule(workers=8, **table):
    return aimd_rule(
        PipelineTable(
            workers=WorkersTable(rollout=workers),
            adaptive_rollout_concurrency=AdaptiveRolloutsTable(**table),
        )
    )


def widths(found):
    return found.min, found.initial, found.max


@pytest.mark.parametrize(
    ("workers", "table", "expected"),
    [
        (8, {}, (1, 8, 8)),
        (8, {"initial": 2}, (1, 2, 8)),
        (8, {"max": 4}, (1, 4, 4)),
        (8, {"initial": 50, "max": 120}, (1, 8, 8)),
        (200, {"initial": 50, "max": 120, "min": 3}, (3, 50, 120)),
        (2, {"min": 5}, (2, 2, 2)),
    ],
)
def test_the_number_of_workers_is_the_most_in_any_case(workers, table, expected):
    assert widths(rule(workers, **table)) == expected


@pytest.mark.parametrize(("workers", "step"), [(1, 1), (8, 1), (24, 2), (120, 10)])
def test_a_step_that_is_not_written_is_a_twelfth_of_the_most(workers, step):
    assert (rule(workers).increase_step, rule(workers).decrease_step) == (step, None)


def test_what_is_written_is_taken():
    found = rule(increase_step=5, decrease_step=3, increase_after_successes=20, overload_status_codes=(500,))
    assert (found.increase_step, found.decrease_step, found.increase_after) == (5, 3, 20)
    assert found.overload == {500}


def test_nothing_adapts_where_it_is_not_enabled():
    assert rule(7, enabled=False) == AimdRule.fixed(7)


def test_calls_have_the_limit_that_is_written_and_followed_rollouts_their_own_and_a_margin():
    assert call_limits(GepaSection(call_timeout_seconds=50.0)) == CallLimits(50.0, 50.0)
    followed = GepaSection(
        call_timeout_seconds=50.0, rollout_submission_mode="async", rollout_async_timeout_seconds=20.0
    )
    assert call_limits(followed) == CallLimits(320.0, 50.0)
