"""Brings the rows and the pools into their current spelling, and checks that they agree."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import attrs

from gepa_framework.config.checks import some
from gepa_framework.config.model import DatasetSection
from gepa_framework.config.places import Report
from gepa_framework.config.reader import Reader
from gepa_framework.config.sections import GepaSection
from gepa_framework.config.sections.rows import (
    DatasetTable,
    PoolsTable,
    RowKeys,
    SeedPoolsTable,
    TasksetTable,
)

_POOLS = (
    ("pareto", "pareto_eval"),
    ("minibatch", "minibatch"),
    ("reflection", "reflection"),
    ("heldout", "validation"),
)


def dataset_of(reader: Reader) -> DatasetSection | None:
    """Read the rows from whichever of ``[dataset]`` and ``[taskset]`` is there."""
    given = [name for name in ("dataset", "taskset") if name in reader.data]
    if len(given) != 1:
        message = (
            "both [dataset] and [taskset] are given" if given else "a [dataset] or [taskset] table is needed"
        )
        hint = "keep one of them" if given else "write [dataset] with train_seeds and heldout_seeds"
        reader.report.add(given[-1:], message, hint)
    if "dataset" in given:
        seeds = reader.structure(("dataset",), reader.data["dataset"], DatasetTable)
        return seeds and _section("seeds", seeds, seeds.train_seeds, seeds.heldout_seeds)
    if "taskset" in given:
        ids = reader.structure(("taskset",), reader.data["taskset"], TasksetTable)
        return ids and _section("ids", ids, ids.train_ids, ids.heldout_ids)
    return None


def _section(
    kind: Any, table: DatasetTable | TasksetTable, train: Sequence[Any], heldout: Sequence[Any]
) -> DatasetSection:
    return DatasetSection(
        kind,
        table.train_split,
        table.heldout_split,
        tuple(train),
        tuple(heldout),
        table.filters,  # type: ignore[arg-type]
    )


def pools_of(report: Report, gepa: GepaSection, dataset: DatasetSection | None) -> PoolsTable:
    """Give the pools from whichever of ``task_pools`` and ``seed_pools`` is there."""
    older = gepa.seed_pools
    if older is not None and gepa.task_pools != PoolsTable():
        report.add(("gepa", "seed_pools"), "both task_pools and seed_pools are given", "keep one of them")
    table = "task_pools" if older is None else "seed_pools"
    names = {new: new if older is None else old for new, old in _POOLS}
    pools = gepa.task_pools if older is None else _from_seed_pools(older)
    if dataset is not None:
        rows = {"heldout": ("heldout", dataset.heldout)}
        for pool, name in names.items():
            whose, known = rows.get(pool, ("train", dataset.train))
            _check_subset(report, ("gepa", table, name), getattr(pools, pool), known, f"the {whose} rows")
    _check_subset(
        report, ("gepa", table, "minibatch"), pools.minibatch, pools.reflection, "the reflection pool"
    )
    return _evidence_from(report, pools, ("gepa", table, "reflection"))


def _evidence_from(report: Report, pools: PoolsTable, path: Sequence[str]) -> PoolsTable:
    """Keep evidence within the reflection pool: it is taken from minibatches."""
    if pools.reflection is None:
        return pools
    if pools.minibatch is None:
        return attrs.evolve(pools, minibatch=pools.reflection)
    hint = "evidence is taken from minibatches, and they are drawn from the minibatch pool"
    report.warn(path, "has no further effect", hint)
    return pools


def _from_seed_pools(older: SeedPoolsTable) -> PoolsTable:
    seeds = {new: getattr(older, old) for new, old in _POOLS}
    return PoolsTable(**{new: None if pool is None else RowKeys(pool) for new, pool in seeds.items()})


def _check_subset(
    report: Report,
    path: Sequence[str],
    pool: Collection[Any] | None,
    known: Collection[Any] | None,
    what: str,
) -> None:
    if pool is None or known is None:
        return
    held = set(known)
    strange = [row for row in pool if row not in held]
    if strange:
        report.add(path, f"holds rows that are not among {what}: {some(strange)}")
