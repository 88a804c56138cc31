"""Brings older spellings into the current one, and checks what two tables must agree on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import attrs

from gepa_framework.config.checks import some
from gepa_framework.config.model import DatasetSection
from gepa_framework.config.places import Report
from gepa_framework.config.reader import Reader
from gepa_framework.config.sections import AcceptanceSection, GepaSection, SelectionSection
from gepa_framework.config.sections.basic import RULES, SELECTIONS
from gepa_framework.config.sections.rows import (
    DatasetTable,
    PoolsTable,
    RowKeys,
    SeedPoolsTable,
    TasksetTable,
)

_RENAMED = {"pareto_weighted": "pareto", "primary_improvement": "strict_improvement"}
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


@attrs.frozen
class _Spelling:
    """One way in which a document says something that it can say in several.

    Attributes:
        path: Where.
        value: What, in the current vocabulary.
    """

    path: tuple[str, ...]
    value: Any


def selection_of(reader: Reader, gepa: GepaSection) -> SelectionSection:
    """Read ``[selection]``, or ``gepa.candidate_selector`` in its place."""
    section = reader.section("selection", SelectionSection)
    flat: list[_Spelling] = []
    if gepa.candidate_selector is not None:
        written = reader.data["gepa"]["candidate_selector"]
        path = ("gepa", "candidate_selector", *(["name"] if isinstance(written, dict) else []))
        flat = _translated(reader.report, path, gepa.candidate_selector.name, SELECTIONS)
    table = _given(reader, ("selection", "strategy"), section.strategy)
    chosen = _agreed(reader.report, [*flat, *table])
    return attrs.evolve(section, strategy=chosen) if chosen is not None else section


def acceptance_of(reader: Reader, gepa: GepaSection) -> AcceptanceSection:
    """Read ``[acceptance]``, or the flat keys of ``[gepa]`` in its place."""
    section = reader.section("acceptance", AcceptanceSection)
    flat: list[_Spelling] = []
    for key in ("acceptance_criterion", "minibatch_acceptance_criterion"):
        flat += _translated(reader.report, ("gepa", key), getattr(gepa, key), RULES)
    rule = _agreed(reader.report, [*flat, *_given(reader, ("acceptance", "rule"), section.rule)])
    margins = [
        *_given(reader, ("gepa", "minibatch_accept_margin"), gepa.minibatch_accept_margin),
        *_given(reader, ("acceptance", "margin"), section.margin),
    ]
    margin = _agreed(reader.report, margins)
    return AcceptanceSection(
        rule=section.rule if rule is None else rule, margin=section.margin if margin is None else margin
    )


def _translated(
    report: Report, path: tuple[str, ...], name: str | None, available: Sequence[str]
) -> list[_Spelling]:
    if name is None:
        return []
    current = _RENAMED.get(name, name)
    if current not in available:
        report.add(path, f'"{name}" is not available yet', f"available are {', '.join(available)}")
        return []
    if current != name:
        report.warn(path, f'"{name}" is called "{current}" here', "both are accepted")
    return [_Spelling(path, current)]


def _given(reader: Reader, path: tuple[str, str], value: Any) -> list[_Spelling]:
    table = reader.data.get(path[0])
    return [_Spelling(path, value)] if isinstance(table, dict) and path[1] in table else []


def _agreed(report: Report, spellings: Sequence[_Spelling]) -> Any:
    """Give what all spellings say; ``None`` where there are none."""
    for other in spellings[1:]:
        first = spellings[0]
        if other.value != first.value:
            said = f"says {other.value} where {'.'.join(first.path)} says {first.value}"
            report.add(other.path, said, "keep one of them")
    return spellings[0].value if spellings else None


def current_gepa(
    report: Report, gepa: GepaSection, acceptance: AcceptanceSection, dataset: DatasetSection | None
) -> GepaSection:
    """Give ``[gepa]`` with everything older moved to where it belongs now."""
    return attrs.evolve(
        gepa,
        minibatch_accept_margin=acceptance.margin,
        acceptance_criterion=None,
        minibatch_acceptance_criterion=None,
        candidate_selector=None,
        task_pools=_pools(report, gepa, dataset),
        seed_pools=None,
    )


def _pools(report: Report, gepa: GepaSection, dataset: DatasetSection | None) -> PoolsTable:
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
