"""Which rows of the container's data are used: ``[dataset]``, ``[taskset]`` and the pools of ``[gepa]``."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import attrs
from cattrs import Converter

from gepa_framework.config.checks import at_least_one, distinct, each_not_empty, not_empty, some
from gepa_framework.config.structure import fault, mismatch

_RANGE = re.compile(r"\s*(\d{1,18})\s*-\s*(\d{1,18})\s*")
#: More rows than any run can pay for, and as many as fit in memory with ease.
_MAX_RANGE = 1_000_000


class Seeds(tuple[int, ...]):
    """Row seeds; in TOML an array of integers, or an inclusive range such as ``"0-99"``."""

    __slots__ = ()


class RowKeys(tuple["int | str", ...]):
    """Row seeds or row ids; in TOML an array of either, or an inclusive range of seeds such as ``"0-99"``."""

    __slots__ = ()


def register_rows(converter: Converter) -> None:
    """Teach the converter both spellings of a set of rows."""
    converter.register_structure_hook_func(
        lambda kind: kind is Seeds, lambda value, _: Seeds(_rows(value, converter, int))
    )
    converter.register_structure_hook_func(
        lambda kind: kind is RowKeys, lambda value, _: RowKeys(_rows(value, converter, int | str))
    )


def _rows(value: object, converter: Converter, element: Any) -> tuple[Any, ...]:
    if isinstance(value, str):
        return tuple(_range(value))
    if not isinstance(value, list):
        raise mismatch('an array or a range such as "0-99"', value)
    return tuple(converter.structure(value, tuple[element, ...]))


def _range(text: str) -> range:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise fault(f'"{text[:40]}" is not a range', 'write one as "0-99", both ends included')
    first, last = int(match[1]), int(match[2])
    if last < first:
        raise fault(f"the range {first}-{last} is empty", "write the smaller end first")
    if last - first >= _MAX_RANGE:
        raise fault(f"the range {first}-{last} has more than {_MAX_RANGE} rows")
    return range(first, last + 1)


def _disjoint_seeds(table: DatasetTable, _: object, heldout: Collection[int]) -> None:
    _refuse_shared(table.train_seeds, heldout, "train_seeds", "heldout_seeds", "seeds")


def _disjoint_ids(table: TasksetTable, _: object, heldout: Collection[str]) -> None:
    if table.train_split == table.heldout_split:
        _refuse_shared(table.train_ids, heldout, "train_ids", "heldout_ids", "ids")


def _refuse_shared(
    train: Collection[Any], heldout: Collection[Any], left: str, right: str, what: str
) -> None:
    shared = sorted(set(train) & set(heldout))
    if shared:
        raise ValueError(f"{left} and {right} must be disjoint; overlapping {what}: {some(shared)}")


@attrs.frozen
class DatasetTable:
    """``[dataset]``: rows by seed.

    Attributes:
        train_split: The container's name of the split that is searched on.
        heldout_split: The container's name of the split that is reported on.
        train_seeds: Seeds of the rows to search on; in TOML also an inclusive range such as ``"0-99"``.
        heldout_seeds: Seeds of the rows to report on; none of the above.
        filters: Passed to the container as they are.
    """

    train_split: str = attrs.field(default="train", validator=not_empty)
    heldout_split: str = attrs.field(default="test", validator=not_empty)
    train_seeds: Seeds = attrs.field(kw_only=True, validator=[at_least_one("seed"), distinct])
    heldout_seeds: Seeds = attrs.field(
        kw_only=True, validator=[at_least_one("seed"), distinct, _disjoint_seeds]
    )
    filters: Mapping[str, object] = attrs.field(factory=dict)


@attrs.frozen
class TasksetTable:
    """``[taskset]``: rows by id.

    Attributes:
        train_split: The container's name of the split that is searched on.
        heldout_split: The container's name of the split that is reported on.
        train_ids: Ids of the rows to search on.
        heldout_ids: Ids of the rows to report on; none of the above if the splits are the same.
        filters: Passed to the container as they are.
    """

    train_split: str = attrs.field(default="train", validator=not_empty)
    heldout_split: str = attrs.field(default="test", validator=not_empty)
    train_ids: tuple[str, ...] = attrs.field(
        kw_only=True, validator=[at_least_one("id"), distinct, each_not_empty]
    )
    heldout_ids: tuple[str, ...] = attrs.field(
        kw_only=True, validator=[at_least_one("id"), distinct, each_not_empty, _disjoint_ids]
    )
    filters: Mapping[str, object] = attrs.field(factory=dict)


@attrs.frozen
class PoolsTable:
    """``[gepa.task_pools]``: which train rows serve which purpose; all of them where a pool is left out.

    Attributes:
        pareto: Rows of the full evaluation, on which the frontier stands.
        minibatch: Rows that minibatches are drawn from.
        reflection: Rows that evidence may be taken from; holds those of `minibatch`, and stands in for it.
        heldout: Heldout rows that are reported on.
    """

    pareto: RowKeys | None = attrs.field(default=None, validator=[at_least_one("row"), distinct])
    minibatch: RowKeys | None = attrs.field(default=None, validator=[at_least_one("row"), distinct])
    reflection: RowKeys | None = attrs.field(default=None, validator=[at_least_one("row"), distinct])
    heldout: RowKeys | None = attrs.field(default=None, validator=[at_least_one("row"), distinct])


@attrs.frozen
class SeedPoolsTable:
    """``[gepa.seed_pools]``: the older spelling of the pools, for rows that are addressed by seed.

    Attributes:
        pareto_eval: The older spelling of ``task_pools.pareto``.
        minibatch: The older spelling of ``task_pools.minibatch``.
        reflection: The older spelling of ``task_pools.reflection``.
        validation: The older spelling of ``task_pools.heldout``.
    """

    pareto_eval: Seeds | None = attrs.field(default=None, validator=[at_least_one("seed"), distinct])
    minibatch: Seeds | None = attrs.field(default=None, validator=[at_least_one("seed"), distinct])
    reflection: Seeds | None = attrs.field(default=None, validator=[at_least_one("seed"), distinct])
    validation: Seeds | None = attrs.field(default=None, validator=[at_least_one("seed"), distinct])
