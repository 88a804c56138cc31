"""``[gepa]``: limits, batches and decisions of the search."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import attrs
from cattrs import Converter

from gepa_framework.config.checks import (
    at_least,
    at_most,
    distinct,
    each_not_empty,
    fraction,
    matches,
    not_empty,
    not_negative,
    only,
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
#: A stop condition that saw heldout rows would select by them.
_not_heldout = only("train", why='the search never sees heldout rows: write "train"')
FrontierName: TypeAlias = Literal["per_example", "per_objective", "per_example_objective"]


@attrs.frozen
class SelectorTable:
    """``[gepa.candidate_selector]``, or its name alone: the older spelling of ``[selection]``.

    Attributes:
        name: The older spelling of ``selection.strategy``.
        k: The older spelling of ``selection.k``.
        epsilon: The older spelling of ``selection.epsilon``.
    """

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
    """``[gepa.objective_acceptance]``: how named objectives weigh in a decision.

    Attributes:
        min_objective_delta: By how much the mean of an objective must be better to count.
        objective_regression_tolerance: By how much the mean of a protected objective may be worse.
        protected_objectives: Objectives that may not get worse.
    """

    min_objective_delta: float = attrs.field(default=0.05, validator=not_negative)
    objective_regression_tolerance: float = attrs.field(default=0.10, validator=not_negative)
    protected_objectives: tuple[str, ...] = attrs.field(default=(), validator=[each_not_empty, distinct])


@attrs.frozen
class EvidenceTable:
    """``[gepa.evidence]``: how much of a minibatch the proposer is shown.

    Attributes:
        max_bytes: Bytes of all frames together, as canonical JSON.
        max_frame_bytes: Bytes of one frame.
        max_frames: Frames; ``None`` for as many as fit.
    """

    max_bytes: int = attrs.field(default=262_144, validator=at_least(2048))
    max_frame_bytes: int = attrs.field(default=16_384, validator=at_least(1024))
    max_frames: int | None = attrs.field(default=None, validator=positive)


@attrs.frozen
class LeakageTable:
    """``[gepa.leakage]``: what happens to a proposal that quotes the data.

    Attributes:
        policy: It is refused, or a warning is put on record, or nothing happens.
        min_span_chars: Characters from which on a common span is a quotation.
    """

    policy: Literal["forbid", "warn", "allow"] = "forbid"
    min_span_chars: int = attrs.field(default=32, validator=positive)


@attrs.frozen
class GepaSection:
    """``[gepa]``. Limits are hard; a limit that ends a run ends it successfully with the best so far.

    Attributes:
        max_generations: Iterations; ``None``: bounded by the budgets alone.
        proposals_per_generation: Proposals for one parent and minibatch.
        parents_per_generation: Parents that are selected in one iteration, each by a draw of its own.
        minibatches_per_parent: Minibatches for each of them.
        keep: Which of the children that would be accepted in one iteration are.
        keep_k: How many of them, for ``top_k``.
        minibatch_size: Rows on which parent and child are compared.
        minibatch_accept_margin: The older spelling of ``acceptance.margin``, and always equal to it.
        max_total_rollouts: Rollouts in all, if neither of the next two is given.
        max_train_rollouts: Rollouts on train rows.
        max_heldout_rollouts: Rollouts on heldout rows.
        max_proposals: Proposals asked for, repair turns included; ``None`` for no limit.
        rollout_submission_mode: ``sync``: the request waits; ``async``: submitted, then polled.
        rollout_poll_interval_ms: Milliseconds between two polls of a rollout.
        rollout_async_timeout_seconds: Seconds until a submitted rollout is given up.
        rollout_chunk_size: Rollouts that are handed over at once.
        rollout_failure_rate_tolerance: Share of failed rollouts, 0 to 1, above which the run stops as failed.
        failed_rollout_policy: What a failed rollout counts as in a comparison.
        frontier_type: The older spelling of ``selection.frontier``.
        objective_keys: Objectives that frontier and acceptance know, in this order.
        selection_objective: The objective that selection would go by.
        deployment_rule: Which candidate the run gives as its best.
        objective_directions: Objective to whether more or less is better; more, where it is not named.
        batch_sampler: In which order minibatches go through the rows.
        perfect_score: Score at which a row has nothing left to improve.
        component_selector: Which components one proposal may change.
        include_rejected: How many refused attempts the proposer is shown.
        evidence: How much of a minibatch the proposer is shown.
        leakage: What happens to a proposal that quotes the data.
        acceptance_criterion: The older spelling of ``acceptance.rule`` and ``acceptance.criterion``.
        minibatch_acceptance_criterion: Another older spelling of the same.
        objective_acceptance: How named objectives weigh in a decision.
        candidate_selector: The older spelling of ``[selection]``.
        task_pools: Which train rows serve which purpose.
        seed_pools: The older spelling of `task_pools`.
        max_cost_usd: US dollars; 0 for no limit.
        max_prompt_tokens: Tokens read by models.
        max_completion_tokens: Tokens written by models.
        max_total_tokens: Tokens read and written by models.
        no_improvement_metric: What `no_improvement_generations` looks at; never heldout rows.
        score_threshold_metric: What `score_threshold_value` looks at; never heldout rows.
        rollout_estimated_cost_usd: What one attempt at a rollout is expected to take at the most; needed, as
            the like of it is, where there is a limit on it.
        rollout_estimated_prompt_tokens: The same in tokens read.
        rollout_estimated_completion_tokens: The same in tokens written.
        rollout_estimated_total_tokens: The same in all tokens.
        rollout_estimated_wall_seconds: Seconds that one rollout takes.
        proposer_estimated_cost_usd: The like of it for one proposal.
        proposer_estimated_prompt_tokens: The same in tokens read.
        proposer_estimated_completion_tokens: The same in tokens written.
        proposer_estimated_total_tokens: The same in all tokens.
        proposer_estimated_wall_seconds: Seconds that one proposal takes.
        max_time_seconds: Seconds of running time.
        no_improvement_generations: Iterations without a better best candidate, after which the run stops.
        score_threshold_value: Score at which the run stops.
        max_consecutive_proposer_failures: Failed proposals in a row, after which the run stops as failed.
        max_component_chars: Characters that a proposed text may have.
        proposal_repair_turns: How often a proposer is asked again whose answer cannot be used: 0 or 1.
        max_rollout_attempts: How often one rollout is tried.
        retry_backoff_seconds: Seconds before the second attempt; grows with each.
        call_timeout_seconds: Seconds that a plugin may take over one call, whatever limits of its own it has.
        verdict_confidence: Confidence of the verdict on the heldout rows, above 0.5 and below 1.
        pipeline: How proposals, rollouts and evaluations overlap.
    """

    max_generations: int | None = attrs.field(default=None, validator=positive)
    proposals_per_generation: int = attrs.field(default=1, validator=positive)
    parents_per_generation: int = attrs.field(default=1, validator=positive)
    minibatches_per_parent: int = attrs.field(default=1, validator=positive)
    keep: Literal["all", "best", "top_k"] = "all"
    keep_k: int = attrs.field(default=1, validator=[positive, unsigned_32])
    minibatch_size: int = attrs.field(default=8, validator=positive)
    minibatch_accept_margin: float = attrs.field(default=0.0, validator=not_negative)
    max_total_rollouts: int = attrs.field(default=256, validator=positive)
    max_train_rollouts: int | None = attrs.field(default=None, validator=positive)
    max_heldout_rollouts: int | None = attrs.field(default=None, validator=positive)
    max_proposals: int | None = attrs.field(default=None, validator=positive)
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
    evidence: EvidenceTable = attrs.field(factory=EvidenceTable)
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
    no_improvement_metric: Metric = attrs.field(default="train", validator=_not_heldout)
    score_threshold_value: float | None = None
    score_threshold_metric: Metric = attrs.field(default="train", validator=_not_heldout)
    proposer_estimated_cost_usd: float | None = attrs.field(default=None, validator=not_negative)
    proposer_estimated_prompt_tokens: int | None = attrs.field(default=None, validator=not_negative)
    proposer_estimated_completion_tokens: int | None = attrs.field(default=None, validator=not_negative)
    proposer_estimated_total_tokens: int | None = attrs.field(default=None, validator=not_negative)
    proposer_estimated_wall_seconds: float | None = attrs.field(default=None, validator=not_negative)
    rollout_estimated_cost_usd: float | None = attrs.field(default=None, validator=not_negative)
    rollout_estimated_prompt_tokens: int | None = attrs.field(default=None, validator=not_negative)
    rollout_estimated_completion_tokens: int | None = attrs.field(default=None, validator=not_negative)
    rollout_estimated_total_tokens: int | None = attrs.field(default=None, validator=not_negative)
    rollout_estimated_wall_seconds: float | None = attrs.field(default=None, validator=not_negative)
    max_consecutive_proposer_failures: int = attrs.field(default=5, validator=positive)
    max_component_chars: int = attrs.field(default=200_000, validator=positive)
    proposal_repair_turns: int = attrs.field(default=1, validator=[not_negative, at_most(1)])
    max_rollout_attempts: int = attrs.field(default=3, validator=positive)
    retry_backoff_seconds: float = attrs.field(default=0.5, validator=not_negative)
    call_timeout_seconds: float = attrs.field(default=3600.0, validator=positive)
    verdict_confidence: float = attrs.field(default=0.95, validator=strictly_between(0.5, 1))
    pipeline: PipelineTable = attrs.field(factory=PipelineTable)
