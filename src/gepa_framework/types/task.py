"""What a task container tells of itself: contract, program, rows."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from gepa_framework.types.candidate import freeze_texts
from gepa_framework.types.json import EMPTY, JSONObject, freeze_mapping


@attrs.frozen
class ContainerInfo:
    """The container as it advertised itself.

    Attributes:
        name: What the container calls itself.
        contract: The negotiated contract, as ``<version>/<route set>``.
        task: Free-form description of the task (`/task_info`); empty where there is none.
        can_poll: Whether a rollout can be asked for again by its id.
        raw: The advertisement as served.
    """

    name: str
    contract: str
    task: JSONObject = attrs.field(default=EMPTY, converter=freeze_mapping)
    can_poll: bool = False
    raw: JSONObject = attrs.field(default=EMPTY, converter=freeze_mapping)


@attrs.frozen
class ComponentSpec:
    """One component of the program that a candidate may change.

    Attributes:
        name: The candidate field.
        module_id: The program's module that the text belongs to.
        role: What the text is for the module, such as ``system``.
        objective: What a better text would achieve, where the program says so.
        template_variables: Names that the program puts values in for, where the text has them in braces.
    """

    name: str
    module_id: str = ""
    role: str = ""
    objective: str = ""
    template_variables: tuple[str, ...] = ()


@attrs.frozen
class Program:
    """The program that candidates parametrise.

    Attributes:
        program_id: The program's own identity.
        task_id: The task that it solves, sent with every rollout.
        components: Every component that may be changed.
        targets: Names of those that the program wants optimised.
        seed: Component name to text of the program's own seed candidate.
        raw: The program as served.
    """

    program_id: str
    task_id: str
    components: tuple[ComponentSpec, ...]
    targets: tuple[str, ...]
    seed: Mapping[str, str] = attrs.field(converter=freeze_texts)
    raw: JSONObject = attrs.field(default=EMPTY, converter=freeze_mapping)


@attrs.frozen
class RowsRequest:
    """Which rows of a split are wanted: by id, or by seed where ids are not known.

    Attributes:
        split: The container's name for the split.
        ids: Row ids, in the order wanted; empty when `seeds` are given.
        seeds: Row seeds, in the order wanted; empty when `ids` are given.
        filters: Passed to the container as they are.
    """

    split: str
    ids: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    filters: JSONObject = attrs.field(default=EMPTY, converter=freeze_mapping)

    def __len__(self) -> int:
        """Give the number of rows asked for."""
        return len(self.ids) or len(self.seeds)


@attrs.frozen
class TaskRow:
    """One row of the dataset that the container owns.

    Attributes:
        id: Stable identity within its split.
        split: The split that it was served from.
        data: The row as served; sent back with each rollout.
        seed: Its seed, where rows are addressed by seed.
    """

    id: str
    split: str
    data: JSONObject = attrs.field(default=EMPTY, converter=freeze_mapping)
    seed: int | None = None
