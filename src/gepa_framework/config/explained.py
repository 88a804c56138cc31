"""Every value of a configuration with where it came from, and what it overruled."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import attrs

from gepa_framework.config.document import parse_document
from gepa_framework.config.idle import idle_keys
from gepa_framework.config.locate import Parts, dotted
from gepa_framework.config.model import LoadedConfig, PluginChoice
from gepa_framework.config.overrides import Change, apply_overrides, masked
from gepa_framework.config.spellings import RENAMED
from gepa_framework.config.structure import known_fields
from gepa_framework.types import JSONValue


class Origin(enum.StrEnum):
    """Where a value came from; what stands first overrules what stands below."""

    SET = "set"
    VARIABLE = "variable"
    FILE = "file"
    PLUGIN_DEFAULT = "plugin default"
    DEFAULT = "default"


@attrs.frozen
class Overruled:
    """What was said of a key in vain.

    Attributes:
        source: Where it was said.
        value: What.
    """

    source: str
    value: JSONValue


@attrs.frozen
class Explained:
    """A value that holds.

    Attributes:
        path: Its dotted path.
        value: What holds; secrets masked.
        origin: Where it came from.
        source: The same for people: ``gepa.toml:3:1``, a variable, ``--set``, or whose default it is.
        written_as: The path that it was written under, where that is an older spelling.
        overruled: What else was said of it, and differs.
        note: Why it has no effect, or what else there is to know; empty where there is nothing.
    """

    path: str
    value: JSONValue
    origin: Origin
    source: str
    written_as: str = ""
    overruled: tuple[Overruled, ...] = ()
    note: str = ""


_POOLS = (
    ("pareto", "pareto_eval"),
    ("minibatch", "minibatch"),
    ("reflection", "reflection"),
    ("heldout", "validation"),
)
#: Where the value of a key may stand besides its own path.
_SPELLINGS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "dataset.train": ("dataset.train_seeds", "taskset.train_ids"),
        "dataset.heldout": ("dataset.heldout_seeds", "taskset.heldout_ids"),
        "dataset.train_split": ("taskset.train_split",),
        "dataset.heldout_split": ("taskset.heldout_split",),
        "dataset.filters": ("taskset.filters",),
        "selection.strategy": ("gepa.candidate_selector.name", "gepa.candidate_selector"),
        "selection.k": ("gepa.candidate_selector.k",),
        "selection.epsilon": ("gepa.candidate_selector.epsilon",),
        "selection.frontier": ("gepa.frontier_type",),
        "acceptance.rule": ("gepa.acceptance_criterion", "gepa.minibatch_acceptance_criterion"),
        "acceptance.criterion": ("gepa.acceptance_criterion", "gepa.minibatch_acceptance_criterion"),
        "acceptance.margin": ("gepa.minibatch_accept_margin",),
        "gepa.minibatch_accept_margin": ("acceptance.margin",),
        "gepa.batch_sampler.name": ("gepa.batch_sampler",),
        **{f"gepa.task_pools.{new}": (f"gepa.seed_pools.{old}",) for new, old in _POOLS},
    }
)
#: Paths whose older spelling may have meant something else: it is one only if it agrees with the value.
_SHARED = frozenset(
    {"acceptance.rule", "acceptance.criterion", "gepa.batch_sampler.name", "selection.strategy"}
)


def explain(loaded: LoadedConfig) -> tuple[Explained, ...]:
    """Give every value that holds, in the order of the tables."""
    return tuple(_Explainer(loaded).all())


class _Explainer:
    def __init__(self, loaded: LoadedConfig) -> None:
        self._loaded = loaded
        data = parse_document(loaded.text, loaded.file).data
        self._file = dict(_nodes((), data))
        # Variables are among the sets of a configuration, so that the text with them gives it again.
        apply_overrides(data, {}, loaded.sets)
        self._said = dict(_nodes((), data))
        self._idle = idle_keys(loaded.config)
        self._notes = {problem.path: problem.message for problem in loaded.warnings}
        config = loaded.config
        plugins = (config.container, config.proposer, config.cache.backend, config.executor, config.store)
        self._plugins = [each for each in (*plugins, *config.stoppers, *config.listeners) if each]

    def all(self) -> Iterator[Explained]:
        for parts, value in _leaves((), self._loaded.resolved):
            yield self._explained(parts, value)

    def _explained(self, parts: Parts, value: JSONValue) -> Explained:
        path = dotted(parts)
        written = self._written(path, value)
        note = self._note(written or path) or self._note(path)
        if written is None:
            origin, source = self._default(parts)
            return Explained(path, value, origin, source, note=note)
        changes = [each for each in self._loaded.changes if _within(written, each.path)]
        last = changes[-1] if changes else None
        origin, source = _of_change(last, written) if last else (Origin.FILE, self._place(written))
        return Explained(
            path,
            value,
            origin,
            source,
            written_as="" if written == path else written,
            overruled=tuple(self._overruled(written, changes)),
            note=note,
        )

    def _written(self, path: str, value: JSONValue) -> str | None:
        for spelling in (path, *_SPELLINGS.get(path, ())):
            if spelling not in self._said:
                continue
            said = self._said[spelling]
            agrees = isinstance(said, str) and RENAMED.get(said, said) == value
            if agrees or spelling == path or path not in _SHARED:
                return spelling
        return None

    def _overruled(self, written: str, changes: Sequence[Change]) -> Iterator[Overruled]:
        if not changes:
            return
        if written in self._file and self._file[written] != self._said[written]:
            yield Overruled(self._place(written), _shown(written, self._file[written]))
        for change in changes[:-1]:
            if change.path == written and change.value != changes[-1].value:
                yield Overruled(_of_change(change, written)[1], _read(change.value))

    def _place(self, path: str) -> str:
        line, column = self._loaded.positions.get(path, (0, 0))
        return f"{self._loaded.file}:{line}:{column}" if line else self._loaded.file

    def _default(self, parts: Parts) -> tuple[Origin, str]:
        for choice in self._plugins:
            table = tuple(choice.path.split("."))
            if parts[: len(table)] == table and _is_of(choice, parts[len(table) :]):
                return Origin.PLUGIN_DEFAULT, f"default of the {choice.kind} {choice.name}"
        return Origin.DEFAULT, "default"

    def _note(self, path: str) -> str:
        for notes in (self._notes, self._idle):
            for key, note in notes.items():
                if _within(path, key):
                    return note
        return ""


def _is_of(choice: PluginChoice, rest: Parts) -> bool:
    return bool(rest) and rest[0] in known_fields(type(choice.options))


def _of_change(change: Change, path: str) -> tuple[Origin, str]:
    if change.source.startswith("--set "):
        return Origin.SET, "--set" if change.path == path else change.source
    return Origin.VARIABLE, change.source


def _within(path: str, table: str) -> bool:
    return path == table or path.startswith(f"{table}.")


def _leaves(parts: Parts, value: Any) -> Iterator[tuple[Parts, JSONValue]]:
    """Give every value that is no table; an empty table is a value."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves((*parts, key), item)
    elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        for index, item in enumerate(value):
            yield from _leaves((*parts, str(index)), item)
    elif parts:
        yield parts, value


def _nodes(parts: Parts, value: Any) -> Iterator[tuple[str, Any]]:
    """Give everything that a document says, by its dotted path."""
    if parts:
        yield dotted(parts), value
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list) and all(isinstance(item, dict) for item in value):
        items = enumerate(value)
    for key, item in items:
        yield from _nodes((*parts, str(key)), item)


def _read(text: str) -> Any:
    """Give the value that a change shows; what is masked is no JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _shown(path: str, value: Any) -> Any:
    return masked({path.rpartition(".")[2]: value})[path.rpartition(".")[2]]  # type: ignore[index]
