"""``[gepa.pipeline]`` and its tables."""

from __future__ import annotations

from typing import Literal

import attrs

from gepa_framework.config.checks import (
    at_least_field,
    each_http_error,
    fraction,
    not_negative,
    positive,
)


@attrs.frozen
class WorkersTable:
    """``[gepa.pipeline.workers]``: how many calls of each sort may be under way at once.

    Attributes:
        propose: Proposals.
        rollout: Rollouts.
        evaluate: Evaluations on all Pareto rows.
    """

    propose: int = attrs.field(default=1, validator=positive)
    rollout: int = attrs.field(default=8, validator=positive)
    evaluate: int = attrs.field(default=1, validator=positive)


@attrs.frozen
class SpeculativeTable:
    """``[gepa.pipeline.speculative_completion]``.

    Attributes:
        enabled: Whether a child that cannot be accepted any more stops costing rollouts.
        alpha: Not looked at: a share of rollouts that may be missing is no sound bound.
    """

    enabled: bool = False
    alpha: float = attrs.field(default=0.25, validator=fraction)


@attrs.frozen
class AdaptiveWorkersTable:
    """``[gepa.pipeline.adaptive_stage_workers]``.

    Attributes:
        enabled: Whether workers move to where work piles up.
        min: Workers of a stage at least.
        max: Workers of a stage at most.
        backlog_threshold: Waiting items that call for a worker.
        stale_gap_threshold: Iterations behind that call for a worker.
    """

    enabled: bool = False
    min: int = attrs.field(default=1, validator=positive)
    max: int = attrs.field(default=128, validator=[positive, at_least_field("min")])
    backlog_threshold: int = attrs.field(default=2, validator=positive)
    stale_gap_threshold: int = attrs.field(default=2, validator=positive)


@attrs.frozen
class AdaptiveRolloutsTable:
    """``[gepa.pipeline.adaptive_rollout_concurrency]``: how many rollouts an overloaded container is sent.

    ``workers.rollout`` is the most in any case.

    Attributes:
        enabled: Whether the number adapts at all.
        initial: Rollouts at once to begin with; ``workers.rollout`` where not written.
        min: The fewest.
        max: The most; ``workers.rollout`` where not written.
        increase_step: How many more at a time; where not written, a twelfth of the most, at least 1.
        decrease_step: How many fewer at a time, half of them at most; where not written, half of them.
        increase_after_successes: Scored rollouts until there are more.
        overload_status_codes: HTTP statuses that say that the container has too much to do.
    """

    enabled: bool = True
    initial: int | None = attrs.field(default=None, validator=[positive, at_least_field("min")])
    min: int = attrs.field(default=1, validator=positive)
    max: int | None = attrs.field(default=None, validator=[positive, at_least_field("min")])
    increase_step: int | None = attrs.field(default=None, validator=positive)
    decrease_step: int | None = attrs.field(default=None, validator=positive)
    increase_after_successes: int = attrs.field(default=16, validator=positive)
    overload_status_codes: tuple[int, ...] = attrs.field(
        default=(408, 425, 429, 502, 503, 504, 529), validator=each_http_error
    )


@attrs.frozen
class PipelineTable:
    """``[gepa.pipeline]``: how proposals, rollouts and evaluations overlap.

    Attributes:
        mode: ``sync_serial``: one iteration after the other; ``async_pipelined``: several side by side.
        staleness_policy: What becomes of a proposal that was overtaken: ``full`` takes it as it is,
            ``guarded`` drops it, ``reflective`` sends it back with what has changed since.
        max_in_flight_candidates: Iterations under way at once, in ``async_pipelined``.
        delta_max: How many candidates may have joined the pool before a proposal counts as overtaken.
        workers: Calls under way at once.
        speculative_completion: Giving a child up once it cannot be accepted any more.
        adaptive_stage_workers: Moving workers to where work piles up.
        adaptive_rollout_concurrency: Backing off from an overloaded container.
    """

    mode: Literal["sync_serial", "async_pipelined", "flash_evolve"] = "sync_serial"
    staleness_policy: Literal["full", "guarded", "reflective"] = "full"
    max_in_flight_candidates: int = attrs.field(default=8, validator=positive)
    delta_max: int = attrs.field(default=2, validator=not_negative)
    workers: WorkersTable = attrs.field(factory=WorkersTable)
    speculative_completion: SpeculativeTable = attrs.field(factory=SpeculativeTable)
    adaptive_stage_workers: AdaptiveWorkersTable = attrs.field(factory=AdaptiveWorkersTable)
    adaptive_rollout_concurrency: AdaptiveRolloutsTable = attrs.field(factory=AdaptiveRolloutsTable)
