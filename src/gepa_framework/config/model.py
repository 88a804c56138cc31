"""What a configuration is once it is read: typed, whole, and with the place of everything in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import attrs

from gepa_framework.config.overrides import Change
from gepa_framework.config.places import Places
from gepa_framework.config.sections import (
    AcceptanceSection,
    CandidateSection,
    DiskBudgetSection,
    GepaSection,
    MergeSection,
    PluginsSection,
    PriceTable,
    RunSection,
    SelectionSection,
)
from gepa_framework.errors import Problem
from gepa_framework.types import JSONObject, Kind
from gepa_framework.types.json import EMPTY


@attrs.frozen
class PluginChoice:
    """A plugin that the configuration selects.

    Attributes:
        kind: Its kind.
        name: Its name as written; ``dist:name`` where two distributions offer it.
        options: Instance of the plugin's own configuration class.
        path: The table that selects it, such as ``proposer`` or ``stoppers.0``.
    """

    kind: Kind
    name: str
    options: object
    path: str


@attrs.frozen
class ListenerChoice(PluginChoice):
    """A listener that the configuration selects.

    Attributes:
        on_error: What happens when it raises: a warning, it is not called again, or the run stops.
    """

    on_error: Literal["warn", "disable", "stop"] = "warn"


@attrs.frozen
class ProposerChoice(PluginChoice):
    """The proposer that the configuration selects.

    Attributes:
        allow_model_substitution: Whether another model may answer than the one that was asked for.
    """

    allow_model_substitution: bool = False


@attrs.frozen
class CacheSection:
    """``[cache]``.

    Attributes:
        mode: Whether answers are looked up and kept.
        namespace: Runs with one namespace share answers; ``None`` for one of the run's own.
        backend: The cache plugin.
    """

    mode: Literal["off", "readwrite", "readonly"]
    namespace: str | None
    backend: PluginChoice


@attrs.frozen
class DatasetSection:
    """The rows of a run, from ``[dataset]`` or ``[taskset]``.

    Attributes:
        kind: Whether rows are named by seed or by id.
        train_split: The container's name of the split that is searched on.
        heldout_split: The container's name of the split that is reported on.
        train: Seeds or ids to search on, in the order written; not empty.
        heldout: Seeds or ids to report on, in the order written; not empty.
        filters: Passed to the container as they are.
    """

    kind: Literal["seeds", "ids"]
    train_split: str
    heldout_split: str
    train: tuple[int | str, ...]
    heldout: tuple[int | str, ...]
    filters: JSONObject = EMPTY


@attrs.frozen
class RunConfig:
    """Everything that a run is told, validated; older spellings are brought into the one that is current.

    Attributes:
        run: Name, place and seed.
        container: The transport, with what it needs to reach the task.
        dataset: The rows.
        candidate: What is optimised.
        seed_candidate: Component to text to start from; ``None`` for the program's own.
        policy: The table as written; sent with every rollout.
        proposer: The proposer.
        gepa: The search.
        cache: The cache.
        plugins: What must and must not be installed.
        stoppers: Further stop conditions.
        listeners: Who is told of events.
        executor: Where rollouts run; ``None`` for the run's own process.
        selection: How a parent is chosen.
        acceptance: When a child joins the pool.
        merge: Crossover.
        prices: What tokens cost.
        disk_budget: Limits of the disk.
        store: Where the journal is kept.
    """

    run: RunSection
    container: PluginChoice
    dataset: DatasetSection
    candidate: CandidateSection
    seed_candidate: Mapping[str, str] | None
    policy: JSONObject
    proposer: ProposerChoice
    gepa: GepaSection
    cache: CacheSection
    plugins: PluginsSection
    stoppers: tuple[PluginChoice, ...]
    listeners: tuple[ListenerChoice, ...]
    executor: PluginChoice | None
    selection: SelectionSection
    acceptance: AcceptanceSection
    merge: MergeSection
    prices: tuple[PriceTable, ...]
    disk_budget: DiskBudgetSection
    store: PluginChoice


@attrs.frozen
class LoadedConfig:
    """A configuration together with where it came from.

    Attributes:
        config: The configuration.
        warnings: What is legal but does not do what its reader may think, in the order of the file.
        text: The document as read, before any override.
        file: The file as the user named it.
        base_dir: What relative paths are relative to.
        positions: Dotted path to 1-based line and column.
        resolved: The effective configuration as JSON for the record, defaults filled in, secrets masked.
        overrides: What ``--set`` and the environment changed: ``source: path = value``, secrets masked.
        changes: The same, each in its parts.
        sets: All overrides as arguments of ``--set``, unmasked; `text` with them gives `config` again.
        origins: Dotted path to the name of the override that set it.
    """

    config: RunConfig
    warnings: tuple[Problem, ...]
    text: str = attrs.field(repr=False)
    file: str
    base_dir: Path
    positions: Mapping[str, tuple[int, int]] = attrs.field(repr=False)
    resolved: JSONObject = attrs.field(repr=False)
    overrides: tuple[str, ...]
    changes: tuple[Change, ...]
    sets: tuple[str, ...] = attrs.field(repr=False)
    origins: Mapping[str, str] = attrs.field(repr=False)


def locate_problem(loaded: LoadedConfig, path: str, message: str, hint: str = "") -> Problem:
    """Give a problem its place: that of the path, of the override that set it, or of its nearest parent.

    Args:
        loaded: Where the path is looked up.
        path: Dotted path, ``""`` for the whole document.
        message: What is wrong.
        hint: What to do about it.
    """
    return Places(loaded.file, loaded.positions, loaded.origins).problem(path, message, hint)
