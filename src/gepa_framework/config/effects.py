"""Which keys are understood but not yet obeyed, and who is told so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from gepa_framework.config.structure import default_of

#: Validated in full, without effect so far. Whoever makes one work takes it out.
NO_EFFECT_YET: tuple[str, ...] = (
    "disk_budget",
    "gepa.batch_sampler.epoch_width",
    "gepa.leakage",
    "gepa.no_improvement_metric",
    "gepa.objective_acceptance",
    "gepa.pipeline.adaptive_rollout_concurrency",
    "gepa.pipeline.adaptive_stage_workers",
    "gepa.pipeline.delta_max",
    "gepa.pipeline.max_in_flight_candidates",
    "gepa.pipeline.speculative_completion",
    "gepa.pipeline.workers.evaluate",
    "gepa.pipeline.workers.propose",
    "gepa.proposals_per_generation",
    "gepa.proposer_estimated_completion_tokens",
    "gepa.proposer_estimated_cost_usd",
    "gepa.proposer_estimated_prompt_tokens",
    "gepa.proposer_estimated_total_tokens",
    "gepa.proposer_estimated_wall_seconds",
    "gepa.rollout_chunk_size",
    "gepa.rollout_estimated_completion_tokens",
    "gepa.rollout_estimated_cost_usd",
    "gepa.rollout_estimated_prompt_tokens",
    "gepa.rollout_estimated_total_tokens",
    "gepa.rollout_estimated_wall_seconds",
    "gepa.score_threshold_metric",
    "gepa.seed_pools.reflection",
    "gepa.seed_pools.validation",
    "gepa.selection_objective",
    "gepa.task_pools.heldout",
    "gepa.task_pools.reflection",
    "merge",
)


def without_effect(
    data: Mapping[str, Any], sections: Mapping[str, object], keys: tuple[str, ...] = NO_EFFECT_YET
) -> Iterator[tuple[str, ...]]:
    """Give the paths that a document sets to something else than the default, in vain.

    Args:
        data: The document.
        sections: Its tables, structured as they are written.
        keys: Paths without effect; a table stands for all that is in it.
    """
    for key in keys:
        parts = tuple(key.split("."))
        found = _find(parts, data, sections, None)
        if found is not None:
            yield from _leaves(parts, *found)


def _find(parts: tuple[str, ...], written: Any, value: Any, default: Any) -> tuple[Any, Any, Any] | None:
    """Give what is written at a path, the value that it became, and the default; ``None`` if nothing is."""
    if not parts:
        return written, value, default
    if not isinstance(written, Mapping) or parts[0] not in written:
        return None
    return _find(parts[1:], written[parts[0]], *_child(value, parts[0]))


def _child(value: Any, part: str) -> tuple[Any, Any]:
    """Give a field's value and its default; ``None`` for what is not there."""
    if isinstance(value, Mapping):
        return value.get(part), None
    fields = attrs.fields_dict(type(value)) if attrs.has(type(value)) else {}
    return (getattr(value, part), default_of(fields[part])) if part in fields else (None, None)


def _leaves(path: tuple[str, ...], written: Any, value: Any, default: Any) -> Iterator[tuple[str, ...]]:
    if isinstance(written, dict) and attrs.has(type(value)):
        for key, item in written.items():
            yield from _leaves((*path, key), item, *_child(value, key))
    elif value != default:
        yield path
