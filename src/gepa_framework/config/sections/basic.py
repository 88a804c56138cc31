"""The small tables, from ``[run]`` to ``[disk_budget]``, but for those of the rules."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import attrs

from gepa_framework.config.checks import (
    at_least_field,
    distinct,
    distribution_names,
    each_not_empty,
    matches,
    not_empty,
    positive,
    requirements,
    unsigned_32,
    unsigned_64,
)


@attrs.frozen
class RunSection:
    """``[run]``: who the run is, where it writes, and the one source of its randomness.

    Attributes:
        run_id: Name of the run and of its directory; generated when it is ``None``.
        output_dir: Directory of the runs; relative to the configuration file.
        seed: Seed of every random stream, 0 to 2**64 - 1.
        scenario: The scenario whose preflight the run must pass before it begins.
    """

    run_id: str | None = attrs.field(
        default=None,
        validator=matches(
            r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}",
            "must be 1 to 128 letters, digits, '.', '_' or '-', and start with a letter or digit",
        ),
    )
    output_dir: Path = Path("runs")
    seed: int = attrs.field(default=0, validator=unsigned_64)
    scenario: str | None = attrs.field(default=None, validator=not_empty)


@attrs.frozen
class CandidateSection:
    """``[candidate]``: which components are optimised.

    Attributes:
        target_modules: Names of components; empty for those that the program names.
        candidate_id_prefix: What the ids of new candidates start with.
    """

    target_modules: tuple[str, ...] = attrs.field(default=(), validator=[each_not_empty, distinct])
    candidate_id_prefix: str = attrs.field(
        default="gepa",
        validator=matches(
            r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
            "must be 1 to 64 letters, digits, '.', '_' or '-', and start with a letter or digit",
        ),
    )


@attrs.frozen
class CacheSettings:
    """The framework's own keys of ``[cache]``.

    Attributes:
        mode: Whether answers are looked up and kept.
        namespace: Runs with one namespace share answers; ``None`` for one of the run's own.
    """

    mode: Literal["off", "readwrite", "readonly"] = "readwrite"
    namespace: str | None = attrs.field(default=None, validator=not_empty)


@attrs.frozen
class ProposerSettings:
    """The framework's own keys of ``[proposer]``.

    Attributes:
        allow_model_substitution: Whether another model may answer than the one that was asked for.
    """

    allow_model_substitution: bool = False


@attrs.frozen
class PluginsSection:
    """``[plugins]``: what must be installed, and what must not be used.

    Attributes:
        require: Requirements such as ``gepa-codex>=0.2``.
        block: Names of distributions whose plugins are not offered.
    """

    require: tuple[str, ...] = attrs.field(default=(), validator=requirements)
    block: tuple[str, ...] = attrs.field(default=(), validator=distribution_names)


@attrs.frozen
class MergeSection:
    """``[merge]``: crossover of two candidates.

    Attributes:
        every: Candidates accepted between two merges; ``None`` for no merge.
        max: How many merges a run may try; ``None`` for no limit of its own.
        rows: Pareto rows that a merged child is checked on.
    """

    every: int | None = attrs.field(default=None, validator=positive)
    max: int | None = attrs.field(default=None, validator=positive)
    rows: int = attrs.field(default=5, validator=[positive, unsigned_32])


@attrs.frozen
class DiskBudgetSection:
    """``[disk_budget]``: how much disk a run may take.

    Attributes:
        enabled: Whether the limits hold.
        soft_limit_gb: From where on the run warns, in 10**9 bytes.
        hard_limit_gb: Where the run stops, in 10**9 bytes.
    """

    enabled: bool = True
    soft_limit_gb: float = attrs.field(default=5.0, validator=positive)
    hard_limit_gb: float = attrs.field(default=10.0, validator=[positive, at_least_field("soft_limit_gb")])
