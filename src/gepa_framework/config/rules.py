"""Brings the rules of the search into one spelling: selection, acceptance and sampler."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

import attrs

from gepa_framework.config.places import Report
from gepa_framework.config.reader import Reader
from gepa_framework.config.sections import AcceptanceSection, GepaSection, MergeSection, SelectionSection
from gepa_framework.config.sections.gepa import SamplerTable
from gepa_framework.config.spellings import (
    Spelling,
    Users,
    agreed,
    given,
    name_path,
    translated,
    warn_unused,
    written,
)

Section = TypeVar("Section", SelectionSection, AcceptanceSection)

#: What the older spellings can name; the current ones name more.
_OLDER_SELECTIONS = ("pareto", "current_best", "top_k_pareto", "epsilon_greedy")
_OLDER_RULES = ("strict_improvement", "improvement_or_equal")
_OLDER_CRITERIA = ("primary_or_objective", "any_objective_improved", "protected_objective_guard")
_SAMPLERS = ("epoch_shuffled", "ordered_epoch", "stratified", "failure_weighted")
_FRONTIERS: Mapping[str | None, str] = MappingProxyType(
    {"per_example": "instance", "per_objective": "objective", "per_example_objective": "cartesian"}
)
SELECTION_OPTIONS: Users = MappingProxyType(
    {
        "epsilon": ("epsilon_greedy",),
        "k": ("top_k_pareto",),
        "best_floor": ("pareto", "pareto_unpruned", "top_k_pareto"),
        "batch": ("batch_lexicase",),
    }
)
ACCEPTANCE_OPTIONS: Users = MappingProxyType(
    {
        "confidence": ("paired", "sequential"),
        "power": ("sequential",),
        "win_rate": ("sequential",),
        "max_rows": ("sequential",),
    }
)
SAMPLER_OPTIONS: Users = MappingProxyType({"field": ("stratified",), "floor": ("failure_weighted",)})
KEEP_OPTIONS: Users = MappingProxyType({"keep_k": ("top_k",)})


def selection_of(reader: Reader, gepa: GepaSection) -> SelectionSection:
    """Read ``[selection]``, or ``gepa.candidate_selector`` and ``gepa.frontier_type`` in its place."""
    section = reader.section("selection", SelectionSection)
    older = _older_selection(reader, gepa)
    current = {key: given(reader, ("selection", key), getattr(section, key)) for key in _keys_of(section)}
    chosen = {key: [*older.get(key, ()), *current[key]] for key in current}
    section = _settled(reader.report, section, chosen, _older_defaults(gepa))
    for path in (("gepa", "candidate_selector"), ("selection",)):
        warn_unused(reader, path, SELECTION_OPTIONS, "strategy", section.strategy)
    if section.frontier != "instance" and not gepa.objective_keys and "gepa" not in reader.broken:
        hint = 'name them: gepa.objective_keys = ["…"]'
        reader.report.add(chosen["frontier"][0].path, f'"{section.frontier}" needs objectives', hint)
    return section


def _older_selection(reader: Reader, gepa: GepaSection) -> Mapping[str, list[Spelling]]:
    found: dict[str, list[Spelling]] = {}
    path, selector = ("gepa", "candidate_selector"), gepa.candidate_selector
    if selector is not None:
        name = name_path(reader, path)
        found["strategy"] = translated(reader.report, name, selector.name, _OLDER_SELECTIONS)
        for key in ("k", "epsilon"):
            found[key] = given(reader, (*path, key), getattr(selector, key))
    frontier = ("gepa", "frontier_type")
    return {**found, "frontier": given(reader, frontier, _FRONTIERS.get(gepa.frontier_type))}


def _older_defaults(gepa: GepaSection) -> Mapping[str, Any]:
    """Give what the older spelling means where neither says how many."""
    selector = gepa.candidate_selector
    return {"k": selector.k} if selector is not None and selector.name == "top_k_pareto" else {}


def acceptance_of(reader: Reader, gepa: GepaSection) -> AcceptanceSection:
    """Read ``[acceptance]``, or the flat keys of ``[gepa]`` in its place."""
    section = reader.section("acceptance", AcceptanceSection)
    margins = given(reader, ("gepa", "minibatch_accept_margin"), gepa.minibatch_accept_margin)
    older = {**_older_acceptance(reader, gepa), "margin": margins}
    chosen = {
        key: [*older.get(key, ()), *given(reader, ("acceptance", key), getattr(section, key))]
        for key in ("rule", "margin", "criterion")
    }
    section = _settled(reader.report, section, chosen, {})
    warn_unused(reader, ("acceptance",), ACCEPTANCE_OPTIONS, "rule", section.rule)
    _check_rows(reader, gepa, section)
    return section


def _older_acceptance(reader: Reader, gepa: GepaSection) -> Mapping[str, list[Spelling]]:
    """Give what the older keys name: a rule, or what objectives make of one."""
    names: list[Spelling] = []
    for key in ("acceptance_criterion", "minibatch_acceptance_criterion"):
        names += translated(reader.report, ("gepa", key), getattr(gepa, key), _OLDER_RULES + _OLDER_CRITERIA)
    if not names:
        return {}
    name = agreed(reader.report, names)
    return {"rule" if name in _OLDER_RULES else "criterion": names}


def sampler_of(reader: Reader, gepa: GepaSection) -> SamplerTable:
    """Read ``gepa.batch_sampler``."""
    sampler, path = gepa.batch_sampler, ("gepa", "batch_sampler")
    for spelling in translated(reader.report, name_path(reader, path), sampler.name, _SAMPLERS):
        sampler = attrs.evolve(sampler, name=spelling.value)
    warn_unused(reader, path, SAMPLER_OPTIONS, "sampler", sampler.name)
    return sampler


def warn_of_keeping(reader: Reader, gepa: GepaSection) -> None:
    """Warn of a number of children to keep that nobody looks at."""
    warn_unused(reader, ("gepa",), KEEP_OPTIONS, "keep", gepa.keep)


def merge_of(reader: Reader) -> MergeSection:
    """Read ``[merge]``."""
    section = reader.section("merge", MergeSection)
    if section.every is None and "merge" not in reader.broken:
        for key in written(reader, ("merge",)):
            hint = "without it, nothing is merged: write every = 5"
            reader.report.warn(("merge", key), "has no effect without merge.every", hint)
    return section


def _check_rows(reader: Reader, gepa: GepaSection, section: AcceptanceSection) -> None:
    known = not reader.broken.intersection(("acceptance", "gepa"))
    if section.rule == "sequential" and section.max_rows < gepa.minibatch_size and known:
        message = f"must be >= gepa.minibatch_size ({gepa.minibatch_size}): {section.max_rows}"
        reader.report.add(("acceptance", "max_rows"), message)


def _keys_of(section: SelectionSection) -> list[str]:
    return [field.name for field in attrs.fields(type(section))]


def _settled(
    report: Report, section: Section, chosen: Mapping[str, list[Spelling]], defaults: Mapping[str, Any]
) -> Section:
    """Give a section with what its spellings say."""
    said = {key: agreed(report, spellings) for key, spellings in chosen.items() if spellings}
    return attrs.evolve(section, **{**defaults, **said})
