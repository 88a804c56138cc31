"""``[gepa]``: limits, batches and decisions of the search."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import attrs
from cattrs import Converter

from gepa_framework.config.checks import (
    distinct,
    each_not_empty,
    fraction,
    matches,
    not_empty,
    not_negative,
    positive,
    strictly_between,
    unsigned_32,
)
from gepa_framework.config.sections.pipeline import PipelineTable
from gepa_framework.config.sections.rows import PoolsTable, SeedPoolsTable
from gepa_framework.config.structure import Faults, mismatch, structure_class

Direction: TypeAlias = Literal["maximize", "higher_is_better", "minimize", "lower_is_better"]
Metric: TypeAlias = Literal["train", "heldout"]
SelectorName: TypeAlias = Literal[
    "pareto", "pareto_weighted", "uniform_pareto", "random", "current_best", "top_k_pareto", "epsilon_greedy"
]
Criterion: TypeAlias = Literal[
    "strict_improvement",
    "primary_improvement",
    "improvement_or_equal",
    "primary_or_objective",
    "any_objective_improved",
    "protected_objective_guard",
]
SamplerName: TypeAlias = Literal[
    "seeded_shuffle",
    "epoch_shuffled",
    "ordered_epoch",
    "sequential_epoch",
    "stratified",
    "stratified_by_field",
    "failure_weighted",
]
FrontierName: TypeAlias = Literal["per_example", "per_objective", "per_example_objective"]


@attrs.frozen
class SelectorTable:
    """``[gepa.candidate_selector]``, or its name alone: the older spelling of ``[selection]``."""

    name: SelectorName = "pareto"
    k: int = attrs.field(default=3, validator=[positive, unsigned_32])
    epsilon: float = attrs.field(default=0.1, validator=fraction)


@attrs.frozen
class SamplerTable:
    """``[gepa.batch_sampler]``, or its name alone: in which order minibatches go through the rows.

    Attributes:
        name: The order.
        epoch_width: Rows of an epoch.
        field: Dotted path into a row's data, whose values are the strata; for ``stratified``.
        floor: Weight of a row that nobody misses, above 0 to 1, next to 1 for one that everybody does; for
            ``failure_weighted``.
    """

    name: SamplerName = "epoch_shuffled"
    epoch_width: int | None = attrs.field(default=None, validator=positive)
    field: str = attrs.field(
        default="metadata.difficulty",
        validator=matches(r"[^.]+(\.[^.]+)*", "must be one key or several joined by dots"),
    )
    floor: float = attrs.field(default=0.1, validator=[positive, fraction])


def register_named(converter: Converter) -> None:
    """Teach the converter that a name may stand for the table that it names."""
    for cls in (SelectorTable, SamplerTable):
        converter.register_structure_hook_func(_is(cls), _named(converter, cls))


def _is(cls: type[object]) -> Callable[[object], bool]:
    return lambda kind: kind is cls


def _named(converter: Converter, cls: type[object]) -> Callable[[object, object], object]:
    def structure(value: object, _: object) -> object:
        if isinstance(value, dict):
            return structure_class(converter, value, cls)
        if not isinstance(value, str):
            raise mismatch("a name or a table", value)
        try:
            return structure_class(converter, {"name": value}, cls)
        except Faults as found:
            raise Faults(*(attrs.evolve(fault, path=()) for fault in found.faults)) from found

    return structure


@attrs.frozen
class ObjectivesTable:
    """``[gepa.objective_acceptance]``: how named objectives weigh in a decision."""

    min_objective_delta: float = attrs.field(default=0.05, validator=not_negative)
    objective_regression_tolerance: float = attrs.field(default=0.10, validator=not_negative)
    protected_objectives: tuple[str, ...] = attrs.field(default=(), validator=[each_not_empty, distinct])


@attrs.frozen
class LeakageTable:
    """``[gepa.leakage]``: what happens to a candidate that quotes the data."""

    policy: Literal["forbid", "warn", "allow"] = "forbid"
    min_span_chars: int = attrs.field(default=32, validator=positive)


@attrs.frozen
class GepaSection:
    """``[gepa]``. Limits are hard; a limit that ends a run ends it successfully with the best so far.

    Attributes:
        max_generations: Iterations; ``None``: bounded by the budgets alone.
        proposals_per_generation: Proposals for one parent and minibatch.
        minibatch_size: Rows on which parent and child are compared.
        minibatch_accept_margin: The older spelling of ``acceptance.margin``, and always equal to it.
        max_total_rollouts: Rollouts in all, if neither of the next two is given.
        max_train_rollouts: Rollouts on train rows.
        max_heldout_rollouts: Rollouts on heldout rows.
        rollout_submission_mode: ``sync``: the request waits; ``async``: submitted, then polled.
        rollout_poll_interval_ms: Milliseconds between two polls of a rollout.
        rollout_async_timeout_seconds: Seconds until a submitted rollout is given up.
        rollout_chunk_size: Rollouts that are handed over at once.
        rollout_failure_rate_tolerance: Share of failed rollouts, 0 to 1, above which the run stops as failed.
        failed_rollout_policy: What a failed rollout counts as in a comparison.
        frontier_type: The older spelling of ``selection.frontier``.
        objective_keys: Objectives that the frontier knows, in this order.
        deployment_rule: Which candidate the run gives as its best.
        objective_directions: Objective to whether more or less is better; more, where it is not named.
        batch_sampler: In which order minibatches go through the rows.
        perfect_score: Score at which a row has nothing left to improve.
        component_selector: Which components one proposal may change.
        include_rejected: How many refused attempts the proposer is shown.
        max_cost_usd: US dollars; 0 for no limit.
        max_time_seconds: Seconds of running time.
        no_improvement_generations: Iterations without a better best candidate, after which the run stops.
        score_threshold_value: Score at which the run stops.
        max_consecutive_proposer_failures: Failed proposals in a row, after which the run stops as failed.
        max_rollout_attempts: How often one rollout is tried.
        retry_backoff_seconds: Seconds before the second attempt; grows with each.
        verdict_confidence: Confidence of the verdict on the heldout rows, above 0.5 and below 1.
    """

    max_generations: int | None = attrs.field(default=None, validator=positive)
    proposals_per_generation: int = attrs.field(default=1, validator=positive)
    minibatch_size: int = attrs.field(default=8, validator=positive)
    minibatch_accept_margin: float = attrs.field(default=0.0, validator=not_negative)
    max_total_rollouts: int = attrs.field(default=256, validator=positive)
    max_train_rollouts: int | None = attrs.field(default=None, validator=positive)
    max_heldout_rollouts: int | None = attrs.field(default=None, validator=positive)
    rollout_submission_mode: Literal["sync", "async"] = "sync"
    rollout_poll_interval_ms: int = attrs.field(default=250, validator=positive)
    rollout_async_timeout_seconds: float = attrs.field(default=600.0, validator=positive)
    rollout_chunk_size: int | None = attrs.field(default=None, validator=positive)
    rollout_failure_rate_tolerance: float = attrs.field(default=0.25, validator=fraction)
    failed_rollout_policy: Literal["exclude_paired", "score_zero", "stop"] = "exclude_paired"
    frontier_type: FrontierName | None = None
    selection_objective: str | None = attrs.field(default=None, validator=not_empty)
    objective_keys: tuple[str, ...] = attrs.field(default=(), validator=[each_not_empty, distinct])
    objective_directions: Mapping[str, Direction] = attrs.field(factory=dict)
    acceptance_criterion: Criterion | None = None
    minibatch_acceptance_criterion: Criterion | None = None
    objective_acceptance: ObjectivesTable = attrs.field(factory=ObjectivesTable)
    candidate_selector: SelectorTable | None = None
    batch_sampler: SamplerTable = attrs.field(factory=SamplerTable)
    task_pools: PoolsTable = attrs.field(factory=PoolsTable)
    seed_pools: SeedPoolsTable | None = None
    leakage: LeakageTable = attrs.field(factory=LeakageTable)
    deployment_rule: Literal["optimization_selected", "heldout_best"] = "optimization_selected"
    perfect_score: float | None = None
    component_selector: Literal["all", "round_robin"] = "all"
    include_rejected: int = attrs.field(default=3, validator=not_negative)
    max_cost_usd: float = attrs.field(default=0.0, validator=not_negative)
    max_time_seconds: float | None = attrs.field(default=None, validator=positive)
    max_prompt_tokens: int | None = attrs.field(default=None, validator=positive)
    max_completion_tokens: int | None = attrs.field(default=None, validator=positive)
    max_total_tokens: int | None = attrs.field(default=None, validator=positive)
    no_improvement_generations: int | None = attrs.field(default=None, validator=positive)
    no_improvement_metric: Metric = "train"
    score_threshold_value: float | None = None
    score_threshold_metric: Metric = "train"
    proposer_estimated_cost_usd: float | None = attrs.field(default=None, validator=positive)
    proposer_estimated_prompt_tokens: int | None = attrs.field(default=None, validator=positive)
    proposer_estimated_completion_tokens: int | None = attrs.field(default=None, validator=positive)
    proposer_estimated_total_tokens: int | None = attrs.field(default=None, validator=positive)
    proposer_estimated_wall_seconds: float | None = attrs.field(default=None, validator=positive)
    rollout_estimated_cost_usd: float | None = attrs.field(default=None, validator=positive)
    rollout_estimated_prompt_tokens: int | None = attrs.field(default=None, validator=positive)
    rollout_estimated_completion_tokens: int | None = attrs.field(default=None, validator=positive)
    rollout_estimated_total_tokens: int | None = attrs.field(default=None, validator=positive)
    rollout_estimated_wall_seconds: float | None = attrs.field(default=None, validator=positive)
    max_consecutive_proposer_failures: int = attrs.field(default=5, validator=positive)
    max_rollout_attempts: int = attrs.field(default=3, validator=positive)
    retry_backoff_seconds: float = attrs.field(default=0.5, validator=not_negative)
    verdict_confidence: float = attrs.field(default=0.95, validator=strictly_between(0.5, 1))
    pipeline: PipelineTable = attrs.field(factory=PipelineTable)
