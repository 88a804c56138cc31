"""Which keys are understood but not yet obeyed, and who is told so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import attrs

from gepa_framework.config.structure import default_of

#: Validated in full, without effect so far. Whoever makes one work takes it out.
NO_EFFECT_YET: tuple[str, ...] = (
    "disk_budget",
    "gepa.pipeline.adaptive_stage_workers",
)
#: Validated, and without effect for good, with the reason and what to do instead.
NO_EFFECT: Mapping[str, str] = MappingProxyType(
    {
        "gepa.batch_sampler.epoch_width": "an epoch is all rows that minibatches are drawn from; "
        "name fewer in gepa.task_pools.minibatch",
        "gepa.pipeline.speculative_completion.alpha": "a child is given up when it cannot be accepted any "
        "more, and not before: a share of missing rollouts is no sound bound",
        "gepa.rollout_chunk_size": "each rollout is handed over as soon as a worker is free; "
        "set gepa.pipeline.workers.rollout",
        "gepa.selection_objective": "selection goes by the reward, which the container decides; "
        "for objectives, see selection.frontier",
    }
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
