"""Objectives: which there are, which way each goes, and who looks at them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gepa_framework.config.places import Report
from gepa_framework.config.reader import Reader
from gepa_framework.config.sections import AcceptanceSection, GepaSection, SelectionSection
from gepa_framework.config.spellings import Users, warn_unused, written
from gepa_framework.config.structure import did_you_mean

_DIRECTIONS: Mapping[str, Any] = MappingProxyType(
    {"higher_is_better": "maximize", "lower_is_better": "minimize"}
)
_FRONTIERS = ("objective", "hybrid", "cartesian")
_CRITERIA = ("primary_or_objective", "any_objective_improved", "protected_objective_guard")
_GUARD = "protected_objective_guard"
WEIGHING_OPTIONS: Users = MappingProxyType(
    {
        "min_objective_delta": ("primary_or_objective", "any_objective_improved"),
        "objective_regression_tolerance": (_GUARD,),
        "protected_objectives": (_GUARD,),
    }
)


def objectives_of(report: Report, gepa: GepaSection) -> Mapping[str, Any]:
    """Give the direction of every objective, ``maximize`` or ``minimize``, in the order of the keys."""
    keys, directions = gepa.objective_keys, gepa.objective_directions
    for key in directions:
        if key not in keys:
            _unnamed(report, ("gepa", "objective_directions", key), gepa, key)
    said = {key: directions.get(key, "maximize") for key in keys}
    return MappingProxyType({key: _DIRECTIONS.get(word, word) for key, word in said.items()})


def check_objectives(
    reader: Reader, gepa: GepaSection, selection: SelectionSection, acceptance: AcceptanceSection
) -> None:
    """Hold what looks at objectives against those that are named."""
    if "gepa" in reader.broken:
        return
    weighing, path = gepa.objective_acceptance, ("gepa", "objective_acceptance")
    for position, key in enumerate(weighing.protected_objectives):
        if key not in gepa.objective_keys:
            place = (*path, "protected_objectives", str(position))
            _unnamed(reader.report, place, gepa, key, shown=f'"{key}" ')
    _check_criterion(reader, gepa, acceptance)
    warn_unused(reader, path, WEIGHING_OPTIONS, "criterion", acceptance.criterion)
    _warn_of_unused_objectives(reader, selection, acceptance)


def _unnamed(report: Report, path: tuple[str, ...], gepa: GepaSection, key: str, *, shown: str = "") -> None:
    hint = did_you_mean(key, gepa.objective_keys) or "name it in gepa.objective_keys too"
    report.add(path, f"{shown}is not one of gepa.objective_keys", hint)


def _check_criterion(reader: Reader, gepa: GepaSection, acceptance: AcceptanceSection) -> None:
    criterion, path = acceptance.criterion, _place(reader, acceptance)
    if criterion == "primary":
        return
    if not gepa.objective_keys:
        hint = 'name them: gepa.objective_keys = ["…"]'
        reader.report.add(path, f'"{criterion}" needs objectives', hint)
    elif criterion == _GUARD and not gepa.objective_acceptance.protected_objectives:
        hint = 'name them: gepa.objective_acceptance.protected_objectives = ["…"]'
        reader.report.add(path, f'"{criterion}" needs objectives to protect', hint)


def _place(reader: Reader, acceptance: AcceptanceSection) -> tuple[str, ...]:
    """Give where the criterion is written."""
    places = (
        ("gepa", "acceptance_criterion"),
        ("gepa", "minibatch_acceptance_criterion"),
        ("acceptance", "criterion"),
    )
    said = (place for place in places if written(reader, place[:1]).get(place[1]) == acceptance.criterion)
    return next(said, ("acceptance",))


def _warn_of_unused_objectives(
    reader: Reader, selection: SelectionSection, acceptance: AcceptanceSection
) -> None:
    if selection.frontier in _FRONTIERS or acceptance.criterion in _CRITERIA:
        return
    said = f"has no effect with frontier {selection.frontier} and criterion {acceptance.criterion}"
    for key in ("objective_keys", "objective_directions"):
        if key in written(reader, ("gepa",)):
            hint = f"it is for frontier {', '.join(_FRONTIERS)} and criterion {', '.join(_CRITERIA)}"
            reader.report.warn(("gepa", key), said, hint)
