"""The scenarios of extras: which extras have some, by their names alone, and what they may be."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from gepa_framework.errors import PluginBrokenError, ScenarioNotFoundError
from gepa_framework.plugins.found import SCENARIO, Found
from gepa_framework.types import Scenario

HOOK = "gepa_scenarios"


def is_source(found: Found) -> bool:
    """Tell whether an extra has scenarios: its name says so."""
    return found.scenario != ""


def entry_of(scenario: str) -> str:
    """Give the extra, as a name that selects it, that a scenario's id belongs to."""
    dist, colon, rest = scenario.rpartition(":")
    name = rest.partition("/")[0].removeprefix(SCENARIO)
    return f"{dist}{colon}{SCENARIO}{name}"


def checked_scenarios(found: Found, given: object) -> tuple[Scenario, ...]:
    """Give what `gepa_scenarios` returned once it has proved right.

    Raises:
        PluginBrokenError: It is no sequence of scenarios, holds none, two of one id, one of another name than
            the extra's, or a range of versions that cannot be read.
    """
    where = f"{found.owner}: {HOOK} returned"
    if not isinstance(given, Sequence) or isinstance(given, str | bytes) or not given:
        raise PluginBrokenError(f"{where} {given!r}", hint="return a sequence of Scenario(...)")
    scenarios: list[Scenario] = []
    for each in given:
        if not isinstance(each, Scenario):
            raise PluginBrokenError(
                f"{where} {each!r} among the scenarios", hint="return a sequence of Scenario(...)"
            )
        _check(found, where, each)
        if each.id in {known.id for known in scenarios}:
            raise PluginBrokenError(f"{where} two scenarios with the id '{each.id}'", hint="rename one")
        scenarios.append(each)
    return tuple(scenarios)


def _check(found: Found, where: str, scenario: Scenario) -> None:
    name = scenario.id.partition("/")[0]
    if canonicalize_name(name) != canonicalize_name(found.scenario):
        raise PluginBrokenError(
            f"{where} the scenario '{scenario.id}'",
            hint=f"its id must be '{found.scenario}', or begin with '{found.scenario}/'",
        )
    for tool in scenario.tools:
        try:
            SpecifierSet(tool.versions)
        except InvalidSpecifier as error:
            raise PluginBrokenError(
                f"{where} the scenario '{scenario.id}', whose tool '{tool.name}' has an unreadable range of "
                f"versions: {tool.versions!r}",
                hint="write it as pip does: '>=3.11,<4'",
            ) from error


def chosen(found: Found, scenarios: Sequence[Scenario], wanted: str) -> Scenario:
    """Give the scenario of an id among those of its extra.

    Raises:
        ScenarioNotFoundError: It is none of them; names the nearest.
    """
    _, slash, variant = wanted.rpartition(":")[2].partition("/")
    for scenario in scenarios:
        if scenario.id.partition("/")[1:] == (slash, variant):
            return scenario
    raise not_found(wanted, [scenario.id for scenario in scenarios], owner=f" of {found.dist}")


def not_found(wanted: str, known: Sequence[str], *, owner: str = "") -> ScenarioNotFoundError:
    """Give the error for an id that is nobody's, with the nearest that is somebody's."""
    near = difflib.get_close_matches(wanted, known, n=1)
    if near:
        hint = f"did you mean '{near[0]}'? There are: {', '.join(known)}"
    elif known:
        hint = f"there are: {', '.join(known)}"
    else:
        hint = "no scenario is installed; cookbooks bring some"
    return ScenarioNotFoundError(f"no scenario{owner} called '{wanted}'", hint=hint)
