"""Rows: asking for them by whichever route is served, and holding the answer to the request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from gepa_framework.errors import ContainerContractError
from gepa_framework.types import JSONObject, JSONValue, RowsRequest, TaskRow
from gepa_synth_containers.contract import Contract

_BY_ID = ("task_id", "task_instance_id", "example_id", "id", "seed")
_BY_SEED = ("example_id", "id", "task_instance_id", "seed", "task_id")


@attrs.frozen
class RowsCall:
    """One call for rows.

    Attributes:
        route: Where to post it.
        body: What to post.
        answer_key: The key of the rows in the answer.
        wanted: What each row was asked for by, as text.
        identities: The fields that may hold a row's identity, the likeliest first.
    """

    route: str
    body: JSONObject
    answer_key: str
    wanted: tuple[str, ...]
    identities: tuple[str, ...]


def _seeds(request: RowsRequest) -> list[int]:
    if request.seeds:
        return list(request.seeds)
    try:
        seeds = [int(text) for text in request.ids]
    except ValueError:
        seeds = []
    if [str(seed) for seed in seeds] != list(request.ids):
        raise ContainerContractError(
            f"the container serves rows by seed only, and the ids of split {request.split!r} are not all "
            f"integers: {list(request.ids)[:5]}",
            hint="give [dataset] train_seeds and heldout_seeds",
        )
    return seeds


def plan_rows(contract: Contract, request: RowsRequest) -> RowsCall:
    """Say how to ask for the rows.

    Ids go to the taskset route and seeds to the dataset route. Where only the other one is served, a seed is
    asked for by the id that is its decimal text, and an id that is an integer's decimal text by that seed.

    Raises:
        ContainerContractError: Neither is possible.
    """
    by_seed = contract.rows is not None and (bool(request.seeds) or contract.tasks is None)
    common: JSONObject = {"split": request.split, "filters": request.filters}
    if contract.rows is not None and by_seed:
        seeds = _seeds(request)
        wanted = tuple(map(str, seeds))
        return RowsCall(contract.rows, {**common, "seeds": seeds}, "rows", wanted, _BY_SEED)
    ids = request.ids or tuple(map(str, request.seeds))
    return RowsCall(str(contract.tasks), {**common, "task_ids": list(ids)}, "tasks", ids, _BY_ID)


def _rows_of(call: RowsCall, answer: JSONValue) -> Sequence[JSONObject]:
    rows = answer.get(call.answer_key) if isinstance(answer, Mapping) else None
    if not isinstance(rows, list):
        raise ContainerContractError(f"{call.route} must answer an object with an array {call.answer_key!r}")
    if len(rows) != len(call.wanted):
        raise ContainerContractError(
            f"{call.route} gave {len(rows)} rows of split {call.body['split']!r}, "
            f"but {len(call.wanted)} were asked for"
        )
    for index, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise ContainerContractError(f"{call.route} row {index} must be an object")
    return rows


def _identity(row: JSONObject, field: str) -> str | None:
    value = row.get(field)
    if field == "task_id" and "index" in row and value is not None:
        value = f"{value}:{row['index']}"
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        return None
    return str(value)


def _as_asked(call: RowsCall, rows: Sequence[JSONObject]) -> bool:
    """Tell whether some field holds in every row exactly what the row was asked for by."""
    return any(
        all(_plain(row, field) == want for row, want in zip(rows, call.wanted, strict=True))
        for field in call.identities
    )


def _plain(row: JSONObject, field: str) -> str | None:
    value = row.get(field)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _own_names(call: RowsCall, rows: Sequence[JSONObject]) -> list[str]:
    """Name the rows by the first field that all of them have and no two share."""
    for field in call.identities:
        names = [name for row in rows if (name := _identity(row, field)) is not None]
        if len(names) == len(rows) == len(set(names)):
            return names
    raise ContainerContractError(_why_nameless(call, rows))


def _why_nameless(call: RowsCall, rows: Sequence[JSONObject]) -> str:
    seen: dict[str, int] = {}
    for index, row in enumerate(rows):
        name = next((n for field in call.identities if (n := _identity(row, field)) is not None), None)
        if name is None:
            return f"{call.route} row {index} has no identity: one of {', '.join(call.identities)} is needed"
        if name in seen:
            return f"{call.route} row {index} has the same identity as row {seen[name]}: {name!r}"
        seen[name] = index
    return f"{call.route} rows share no identity field: one of {', '.join(call.identities)} in all is needed"


def _check_order(call: RowsCall, names: Sequence[str]) -> None:
    """Refuse an answer that holds a row under the name of another one that was asked for."""
    wanted = set(call.wanted)
    for index, (name, want) in enumerate(zip(names, call.wanted, strict=True)):
        if name != want and name in wanted:
            raise ContainerContractError(
                f"{call.route} row {index} is {name!r}, but {want!r} was asked for at its place"
            )


def _seed_of(row: JSONObject, request: RowsRequest, index: int) -> int | None:
    if request.seeds:
        return request.seeds[index]
    value = row.get("seed")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def read_rows(call: RowsCall, request: RowsRequest, answer: JSONValue) -> tuple[TaskRow, ...]:
    """Read the answer: as many rows as asked for, in that order, each with an identity of its own.

    A row's id is what it was asked for by, where a field of it says the same; otherwise its own identity.

    Raises:
        ContainerContractError: Rows are missing, doubled, nameless or in another order.
    """
    rows = _rows_of(call, answer)
    if len(set(call.wanted)) != len(call.wanted):
        raise ContainerContractError(f"a row of split {request.split!r} is asked for twice")
    names = list(call.wanted) if _as_asked(call, rows) else _own_names(call, rows)
    _check_order(call, names)
    return tuple(
        TaskRow(id=name, split=request.split, data=row, seed=_seed_of(row, request, index))
        for index, (name, row) in enumerate(zip(names, rows, strict=True))
    )
