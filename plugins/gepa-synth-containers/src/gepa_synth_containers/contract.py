"""Which contract a container advertises, and by which routes it is spoken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from gepa_framework.errors import ContainerContractError
from gepa_framework.types import JSONObject, JSONValue

VERSION: Final = "synth_optimizers.gepa.v2"
_PATH = "metadata.optimizer_contracts.gepa"
_EXPECTED = (
    f'{_PATH} = {{version: "{VERSION}", program_route, rollout_route}} and either taskset_tasks_route '
    "or dataset_rows_route"
)


@attrs.frozen
class Contract:
    """The routes of a container. Which row set it serves tells the two contracts of one version apart.

    Attributes:
        program: Where ``GET`` gives the program.
        rollouts: Where ``POST`` submits a rollout, the likeliest route first.
        tasks: Where ``POST`` gives rows by task id; ``None`` when it is not served.
        rows: Where ``POST`` gives rows by seed; ``None`` when it is not served.
        can_poll: Whether rollouts can be asked for by their id.
    """

    program: str
    rollouts: tuple[str, ...]
    tasks: str | None
    rows: str | None
    can_poll: bool

    @property
    def name(self) -> str:
        """The contract as ``<version>/<route set>``."""
        sets = [name for name, route in (("taskset", self.tasks), ("dataset", self.rows)) if route]
        return f"{VERSION}/{'+'.join(sets)}"

    @property
    def row_field(self) -> str:
        """The key that a row has in a rollout request."""
        return "task" if self.tasks else "dataset_row"


def mapping(value: JSONValue) -> JSONObject:
    """Give the value if it is an object, and an empty one otherwise."""
    return value if isinstance(value, Mapping) else {}


def _advertised(metadata: JSONObject) -> JSONObject | None:
    """Find the advertisement; the SDK repeats it in two older places."""
    for holder in (metadata.get("metadata"), metadata, metadata.get("capabilities")):
        contract = mapping(mapping(holder).get("optimizer_contracts")).get("gepa")
        if isinstance(contract, Mapping):
            return contract
    return None


def _route(contract: JSONObject, name: str) -> str | None:
    value = contract.get(name)
    if value is None:
        return None
    if isinstance(value, str) and value.startswith("/") and not value.startswith("//"):
        return value
    raise ContainerContractError(f"{_PATH}.{name} must be an absolute route such as /program, got {value!r}")


def _rows_route(contract: JSONObject, rows: str, base: str, below: str) -> str | None:
    """Give the route for rows; where only the set's own route is advertised, the rows are below it."""
    route, parent = _route(contract, rows), _route(contract, base)
    return route or (f"{parent.rstrip('/')}/{below}" if parent else None)


def _rollout_routes(contract: JSONObject) -> tuple[str, ...]:
    first = _route(contract, "rollout_route") or "/rollouts"
    return (first, *(route for route in ("/rollouts", "/rollout") if route != first))


def _can_poll(metadata: JSONObject) -> bool:
    capabilities = mapping(metadata.get("capabilities"))
    modes = capabilities.get("rollout_modes")
    hints = mapping(capabilities.get("route_hints"))
    return bool(hints.get("state_routes")) or (isinstance(modes, list) and "async" in modes)


def _found(metadata: JSONObject) -> Iterator[str]:
    contracts = mapping(mapping(metadata.get("metadata")).get("optimizer_contracts"))
    yield f"optimizer contracts {sorted(contracts)}" if contracts else "no optimizer contract"
    ready = mapping(mapping(metadata.get("capabilities")).get("metadata"))
    yield from (f"{name}={ready[name]!r}" for name in sorted(ready))


def negotiate(metadata: JSONObject) -> Contract:
    """Read the answer of ``GET /metadata``.

    Raises:
        ContainerContractError: It advertises no contract that is spoken here.
    """
    contract = _advertised(metadata)
    if contract is None:
        raise ContainerContractError(
            f"the container advertises no GEPA contract: found {', '.join(_found(metadata))}; "
            f"expected {_EXPECTED}",
            hint="a synth_containers.Container advertises it once program, taskset, taskset_tasks and "
            "rollout are all registered",
        )
    if contract.get("version") != VERSION:
        raise ContainerContractError(f"{_PATH}.version must be {VERSION!r}, got {contract.get('version')!r}")
    tasks = _rows_route(contract, "taskset_tasks_route", "taskset_route", "tasks")
    rows = _rows_route(contract, "dataset_rows_route", "dataset_route", "rows")
    if tasks is None and rows is None:
        raise ContainerContractError(
            f"{_PATH} names neither taskset_tasks_route nor dataset_rows_route: found {sorted(contract)}; "
            f"expected {_EXPECTED}"
        )
    program = _route(contract, "program_route") or "/program"
    return Contract(program, _rollout_routes(contract), tasks, rows, _can_poll(metadata))


def container_name(metadata: JSONObject) -> str:
    """Give what the container calls itself."""
    runtime = mapping(metadata.get("runtime"))
    names = (runtime.get("name"), runtime.get("runtime_id"), metadata.get("name"))
    return next((name for name in names if isinstance(name, str) and name), "container")
