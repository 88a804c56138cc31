"""Brings the rules of the search into one spelling: selection, acceptance, sampler and objectives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

import attrs

from gepa_framework.config.places import Report
from gepa_framework.config.reader import Reader
from gepa_framework.config.sections import AcceptanceSection, GepaSection, SelectionSection
from gepa_framework.config.sections.gepa import SamplerTable
from gepa_framework.config.structure import did_you_mean

Section = TypeVar("Section", SelectionSection, AcceptanceSection)
_Users: TypeAlias = Mapping[str, tuple[str, ...]]

_RENAMED: Mapping[str, str] = MappingProxyType(
    {
        "pareto_weighted": "pareto",
        "primary_improvement": "strict_improvement",
        "seeded_shuffle": "epoch_shuffled",
        "sequential_epoch": "ordered_epoch",
        "stratified_by_field": "stratified",
    }
)
#: What the older spellings can name; the current ones name more.
_OLDER_SELECTIONS = ("pareto", "current_best", "top_k_pareto", "epsilon_greedy")
_OLDER_RULES = ("strict_improvement", "improvement_or_equal")
_SAMPLERS = ("epoch_shuffled", "ordered_epoch", "stratified", "failure_weighted")
_FRONTIERS: Mapping[str | None, str] = MappingProxyType(
    {"per_example": "instance", "per_objective": "objective", "per_example_objective": "cartesian"}
)
_DIRECTIONS: Mapping[str, Any] = MappingProxyType(
    {"higher_is_better": "maximize", "lower_is_better": "minimize"}
)
#: Option to the rules that look at it.
_SELECTION_OPTIONS: _Users = MappingProxyType(
    {
        "epsilon": ("epsilon_greedy",),
        "k": ("top_k_pareto",),
        "best_floor": ("pareto", "pareto_unpruned", "top_k_pareto"),
        "batch": ("batch_lexicase",),
    }
)
_ACCEPTANCE_OPTIONS: _Users = MappingProxyType(
    {
        "confidence": ("paired", "sequential"),
        "power": ("sequential",),
        "win_rate": ("sequential",),
        "max_rows": ("sequential",),
    }
)
_OBJECTIVE_OPTIONS: _Users = MappingProxyType(
    dict.fromkeys(("objective_keys", "objective_directions"), ("objective", "hybrid", "cartesian"))
)
_SAMPLER_OPTIONS: _Users = MappingProxyType({"field": ("stratified",), "floor": ("failure_weighted",)})


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
    """Read ``[selection]``, or ``gepa.candidate_selector`` and ``gepa.frontier_type`` in its place."""
    section = reader.section("selection", SelectionSection)
    older = _older_selection(reader, gepa)
    current = {key: _given(reader, ("selection", key), getattr(section, key)) for key in _keys_of(section)}
    chosen = {key: [*older.get(key, ()), *current[key]] for key in current}
    section = _settled(reader.report, section, chosen, _older_defaults(gepa))
    for path in (("gepa", "candidate_selector"), ("selection",)):
        _warn_unused(reader, path, _SELECTION_OPTIONS, "strategy", section.strategy)
    _warn_unused(reader, ("gepa",), _OBJECTIVE_OPTIONS, "frontier", section.frontier)
    _check_frontier(reader, gepa, section, chosen["frontier"])
    return section


def _older_selection(reader: Reader, gepa: GepaSection) -> Mapping[str, list[_Spelling]]:
    found: dict[str, list[_Spelling]] = {}
    path, selector = ("gepa", "candidate_selector"), gepa.candidate_selector
    if selector is not None:
        name = _name_path(reader, path)
        found["strategy"] = _translated(reader.report, name, selector.name, _OLDER_SELECTIONS)
        for key in ("k", "epsilon"):
            found[key] = _given(reader, (*path, key), getattr(selector, key))
    frontier = ("gepa", "frontier_type")
    return {**found, "frontier": _given(reader, frontier, _FRONTIERS.get(gepa.frontier_type))}


def _older_defaults(gepa: GepaSection) -> Mapping[str, Any]:
    """Give what the older spelling means where neither says how many."""
    selector = gepa.candidate_selector
    return {"k": selector.k} if selector is not None and selector.name == "top_k_pareto" else {}


def acceptance_of(reader: Reader, gepa: GepaSection) -> AcceptanceSection:
    """Read ``[acceptance]``, or the flat keys of ``[gepa]`` in its place."""
    section = reader.section("acceptance", AcceptanceSection)
    rules: list[_Spelling] = []
    for key in ("acceptance_criterion", "minibatch_acceptance_criterion"):
        rules += _translated(reader.report, ("gepa", key), getattr(gepa, key), _OLDER_RULES)
    margins = _given(reader, ("gepa", "minibatch_accept_margin"), gepa.minibatch_accept_margin)
    chosen = {
        "rule": [*rules, *_given(reader, ("acceptance", "rule"), section.rule)],
        "margin": [*margins, *_given(reader, ("acceptance", "margin"), section.margin)],
    }
    section = _settled(reader.report, section, chosen, {})
    _warn_unused(reader, ("acceptance",), _ACCEPTANCE_OPTIONS, "rule", section.rule)
    _check_rows(reader, gepa, section)
    return section


def sampler_of(reader: Reader, gepa: GepaSection) -> SamplerTable:
    """Read ``gepa.batch_sampler``."""
    sampler, path = gepa.batch_sampler, ("gepa", "batch_sampler")
    for spelling in _translated(reader.report, _name_path(reader, path), sampler.name, _SAMPLERS):
        sampler = attrs.evolve(sampler, name=spelling.value)
    _warn_unused(reader, path, _SAMPLER_OPTIONS, "sampler", sampler.name)
    return sampler


def objectives_of(report: Report, gepa: GepaSection) -> Mapping[str, Any]:
    """Give the direction of every objective, ``maximize`` or ``minimize``, in the order of the keys."""
    keys, directions = gepa.objective_keys, gepa.objective_directions
    for key in directions:
        if key not in keys:
            hint = did_you_mean(key, keys) or "name it in gepa.objective_keys too"
            report.add(("gepa", "objective_directions", key), "is not one of gepa.objective_keys", hint)
    said = {key: directions.get(key, "maximize") for key in keys}
    return MappingProxyType({key: _DIRECTIONS.get(word, word) for key, word in said.items()})


def _check_frontier(
    reader: Reader, gepa: GepaSection, section: SelectionSection, spellings: Sequence[_Spelling]
) -> None:
    if section.frontier != "instance" and not gepa.objective_keys and "gepa" not in reader.broken:
        hint = 'name them: gepa.objective_keys = ["…"]'
        reader.report.add(spellings[0].path, f'"{section.frontier}" needs objectives', hint)


def _check_rows(reader: Reader, gepa: GepaSection, section: AcceptanceSection) -> None:
    known = not reader.broken.intersection(("acceptance", "gepa"))
    if section.rule == "sequential" and section.max_rows < gepa.minibatch_size and known:
        message = f"must be >= gepa.minibatch_size ({gepa.minibatch_size}): {section.max_rows}"
        reader.report.add(("acceptance", "max_rows"), message)


def _keys_of(section: SelectionSection) -> list[str]:
    return [field.name for field in attrs.fields(type(section))]


def _name_path(reader: Reader, path: tuple[str, str]) -> tuple[str, ...]:
    """Give the place of the name in what is a name or a table."""
    written = _written(reader, path[:1]).get(path[1])
    return (*path, "name") if isinstance(written, dict) else path


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


def _given(reader: Reader, path: tuple[str, ...], value: Any) -> list[_Spelling]:
    """Give the spelling at a path, if there is one and its table could be read."""
    there = path[-1] in _written(reader, path[:-1]) and path[0] not in reader.broken
    return [_Spelling(path, value)] if there else []


def _written(reader: Reader, path: Sequence[str]) -> Mapping[str, Any]:
    """Give the table at a path as written; an empty one where there is none."""
    node: Any = reader.data
    for part in path:
        node = node.get(part) if isinstance(node, dict) else None
    return node if isinstance(node, dict) else {}


def _settled(
    report: Report, section: Section, chosen: Mapping[str, list[_Spelling]], defaults: Mapping[str, Any]
) -> Section:
    """Give a section with what its spellings say."""
    said = {key: _agreed(report, spellings) for key, spellings in chosen.items() if spellings}
    return attrs.evolve(section, **{**defaults, **said})


def _agreed(report: Report, spellings: Sequence[_Spelling]) -> Any:
    """Give what all spellings say."""
    first = spellings[0]
    for other in spellings[1:]:
        if other.value != first.value:
            said = f"says {other.value} where {'.'.join(first.path)} says {first.value}"
            report.add(other.path, said, "keep one of them")
    return first.value


def _warn_unused(reader: Reader, path: tuple[str, ...], options: _Users, word: str, chosen: str) -> None:
    written = _written(reader, path)
    for key, users in options.items():
        if key in written and chosen not in users:
            hint = f"it is for {', '.join(users)}"
            reader.report.warn((*path, key), f"has no effect with {word} {chosen}", hint)
