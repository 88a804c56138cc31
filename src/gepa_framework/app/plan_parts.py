"""The parts of a plan that have a class of their own, out of the configuration."""

from __future__ import annotations

from types import MappingProxyType

from gepa_framework.config import GepaSection, MergeSection, PipelineTable, RunConfig, total_tokens
from gepa_framework.engine import Estimates, Generating, Merging, Pipelining, Price, Prices, Weighing
from gepa_framework.types import Usage


def pipelining_of(table: PipelineTable) -> Pipelining:
    """Give how iterations overlap."""
    serial = table.mode == "sync_serial"
    return Pipelining(
        in_flight=1 if serial else table.max_in_flight_candidates,
        evaluations=table.workers.evaluate,
        staleness=table.staleness_policy,
        delta_max=table.delta_max,
        speculative=table.speculative_completion.enabled,
    )


def generating_of(gepa: GepaSection) -> Generating:
    """Give what one iteration tries."""
    return Generating(
        parents=gepa.parents_per_generation,
        minibatches=gepa.minibatches_per_parent,
        proposals=gepa.proposals_per_generation,
        keep=gepa.keep,
        k=gepa.keep_k,
    )


def merging_of(section: MergeSection) -> Merging:
    """Give how candidates are merged."""
    return Merging(every=section.every, max=section.max, rows=section.rows)


def weighing_of(config: RunConfig) -> Weighing:
    """Give how objectives weigh in a decision."""
    table = config.gepa.objective_acceptance
    return Weighing(
        criterion=config.acceptance.criterion,
        min_delta=table.min_objective_delta,
        tolerance=table.objective_regression_tolerance,
        protected=table.protected_objectives,
    )


def estimates_of(gepa: GepaSection) -> Estimates:
    """Give what single calls are expected to take."""
    return Estimates(
        rollout=Usage(
            prompt_tokens=gepa.rollout_estimated_prompt_tokens,
            completion_tokens=gepa.rollout_estimated_completion_tokens,
            total_tokens=total_tokens(gepa, "rollout"),
            cost_usd=gepa.rollout_estimated_cost_usd,
        ),
        proposal=Usage(
            prompt_tokens=gepa.proposer_estimated_prompt_tokens,
            completion_tokens=gepa.proposer_estimated_completion_tokens,
            total_tokens=total_tokens(gepa, "proposer"),
            cost_usd=gepa.proposer_estimated_cost_usd,
        ),
        rollout_seconds=gepa.rollout_estimated_wall_seconds or 0.0,
        proposal_seconds=gepa.proposer_estimated_wall_seconds or 0.0,
        attempts=gepa.max_rollout_attempts,
    )


def prices_of(config: RunConfig) -> Prices:
    """Give the price table, with who is asked where an answer does not say."""
    return Prices(
        models=MappingProxyType(
            {
                (table.provider, table.model): Price(
                    table.prompt_usd_per_million, table.completion_usd_per_million
                )
                for table in config.prices
            }
        ),
        rollout=(_text(config.policy.get("provider")), _text(config.policy.get("model"))),
        proposer=(
            _text(getattr(config.proposer.options, "provider", None)),
            _text(getattr(config.proposer.options, "model", None)),
        ),
    )


def _text(value: object) -> str:
    """Give a name, or the empty one where there is none."""
    return value if isinstance(value, str) else ""
