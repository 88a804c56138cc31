"""``[gepa.pipeline]`` and its tables."""

from __future__ import annotations

from typing import Literal

import attrs

from gepa_framework.config.checks import (
    at_least_field,
    each_http_error,
    fraction,
    not_negative,
    only,
    positive,
)


@attrs.frozen
class WorkersTable:
    """``[gepa.pipeline.workers]``: how many calls of each sort may be under way at once."""

    propose: int = attrs.field(default=1, validator=positive)
    rollout: int = attrs.field(default=8, validator=positive)
    evaluate: int = attrs.field(default=1, validator=positive)


@attrs.frozen
class SpeculativeTable:
    """``[gepa.pipeline.speculative_completion]``."""

    enabled: bool = False
    alpha: float = attrs.field(default=0.25, validator=fraction)


@attrs.frozen
class AdaptiveWorkersTable:
    """``[gepa.pipeline.adaptive_stage_workers]``."""

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
        mode: ``sync_serial``: one iteration after the other, its rollouts at once.
        staleness_policy: Which results of an overtaken iteration still count; ``full`` for all.
        max_in_flight_candidates: How many candidates may be between proposal and decision.
        delta_max: How many iterations a result may be behind.
        workers: Calls under way at once.
        speculative_completion: Deciding before the last rollouts are in.
        adaptive_stage_workers: Moving workers to where work piles up.
        adaptive_rollout_concurrency: Backing off from an overloaded container.
    """

    mode: Literal["sync_serial", "async_pipelined", "flash_evolve"] = attrs.field(
        default="sync_serial", validator=only("sync_serial", why='write mode = "sync_serial"')
    )
    staleness_policy: Literal["full", "guarded", "reflective"] = attrs.field(
        default="full", validator=only("full", why='write staleness_policy = "full"')
    )
    max_in_flight_candidates: int = attrs.field(default=8, validator=positive)
    delta_max: int = attrs.field(default=2, validator=not_negative)
    workers: WorkersTable = attrs.field(factory=WorkersTable)
    speculative_completion: SpeculativeTable = attrs.field(factory=SpeculativeTable)
    adaptive_stage_workers: AdaptiveWorkersTable = attrs.field(factory=AdaptiveWorkersTable)
    adaptive_rollout_concurrency: AdaptiveRolloutsTable = attrs.field(factory=AdaptiveRolloutsTable)
