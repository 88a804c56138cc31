"""Keys that nobody looks at, given what the others say, whether they are written or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from gepa_framework.config.effects import NO_EFFECT, NO_EFFECT_YET
from gepa_framework.config.model import RunConfig
from gepa_framework.config.objectives import WEIGHING_OPTIONS
from gepa_framework.config.pipelines import STALENESS_OPTIONS
from gepa_framework.config.rules import (
    ACCEPTANCE_OPTIONS,
    KEEP_OPTIONS,
    SAMPLER_OPTIONS,
    SELECTION_OPTIONS,
)
from gepa_framework.config.sections import MergeSection
from gepa_framework.config.spellings import Users


def idle_keys(config: RunConfig) -> Mapping[str, str]:
    """Give the path of each key or table without effect, with why it has none."""
    return {
        **dict.fromkeys(NO_EFFECT_YET, "has no effect yet"),
        **{path: f"has no effect: {reason}" for path, reason in NO_EFFECT.items()},
        **dict(_unused_options(config)),
        **dict(_off(config)),
    }


def _unused_options(config: RunConfig) -> Iterator[tuple[str, str]]:
    gepa = config.gepa
    tables: tuple[tuple[str, Users, str, str], ...] = (
        ("selection", SELECTION_OPTIONS, "strategy", config.selection.strategy),
        ("acceptance", ACCEPTANCE_OPTIONS, "rule", config.acceptance.rule),
        ("gepa", KEEP_OPTIONS, "keep", gepa.keep),
        ("gepa.batch_sampler", SAMPLER_OPTIONS, "sampler", gepa.batch_sampler.name),
        ("gepa.objective_acceptance", WEIGHING_OPTIONS, "criterion", config.acceptance.criterion),
        ("gepa.pipeline", STALENESS_OPTIONS, "staleness_policy", gepa.pipeline.staleness_policy),
    )
    for table, options, word, chosen in tables:
        for key, users in options.items():
            if chosen not in users:
                yield f"{table}.{key}", f"has no effect with {word} {chosen}"


def _off(config: RunConfig) -> Iterator[tuple[str, str]]:
    if config.merge.every is None:
        for field in attrs.fields(MergeSection):
            if field.name != "every":
                yield f"merge.{field.name}", "has no effect without merge.every"
    if config.gepa.pipeline.mode == "sync_serial":
        for key in ("max_in_flight_candidates", "workers.evaluate"):
            yield f"gepa.pipeline.{key}", "has no effect with mode sync_serial"
