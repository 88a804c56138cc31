"""What there is to say of scenarios."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import attrs

from gepa_framework.cli.words import clean, table

if TYPE_CHECKING:
    from gepa_framework.app.scenarios import Listed
    from gepa_framework.types import Scenario, ScoreShape, Tool


def listed_fields(listed: Sequence[Listed]) -> dict[str, object]:
    """Give all scenarios as JSON."""
    return {
        "scenarios": [
            {
                "id": each.name_of(scenario),
                "summary": scenario.summary,
                "distribution": each.found.dist,
                "version": each.found.version,
            }
            for each in listed
            for scenario in each.scenarios
        ],
        "problems": [each.problem for each in listed if each.problem],
    }


def listed_text(listed: Sequence[Listed]) -> str:
    """Give all scenarios as a table."""
    rows = [
        (each.name_of(scenario), f"{each.found.dist} {each.found.version}", scenario.summary)
        for each in listed
        for scenario in each.scenarios
    ]
    return clean("\n".join(table([("scenario", "distribution", "summary"), *rows])))


def page_fields(scenario: Scenario) -> dict[str, object]:
    """Give one scenario as JSON."""
    from gepa_framework.app.scenarios import scenario_config

    own = attrs.asdict(scenario, filter=lambda field, _: field.name not in ("config", "environ", "budgets"))
    told = {"environ": dict(scenario.environ), "budgets": dict(scenario.budgets)}
    return {**own, **told, "config": scenario_config(scenario)}


def page(scenario: Scenario) -> str:
    """Give one scenario as text."""
    lines = [f"scenario {scenario.id}: {scenario.summary}", "", *table(list(_rows(scenario)), indent="  ")]
    lines += ["", f"Begin: gepa init --scenario {scenario.id}"]
    return clean("\n".join(lines))


def _rows(scenario: Scenario) -> Iterator[tuple[str, str]]:
    yield "tools", ", ".join(map(_tool, scenario.tools)) or "none"
    yield "variables", ", ".join(scenario.environ) or "none"
    yield "container", shlex.join(scenario.command) or "as its configuration says"
    shape = scenario.artifact
    yield "artefact", f"{shape.path} with {', '.join(shape.components) or 'every component'}"
    yield "validator", shlex.join(scenario.validator) or "none"
    yield "scorer", shlex.join(scenario.scorer) or "none"
    yield "score", _score(scenario.score)
    yield "budgets", ", ".join(f"{key} = {limit}" for key, limit in scenario.budgets.items()) or "none"
    row = "the first train row" if scenario.smoke.row is None else f"train row {scenario.smoke.row}"
    yield "preflight", f"one rollout of the seed on {row}, within {scenario.smoke.seconds:g} s"


def _tool(tool: Tool) -> str:
    return f"{tool.name} {tool.versions}".rstrip()


def _score(shape: ScoreShape) -> str:
    low = "-inf" if shape.low is None else f"{shape.low:g}"
    high = "inf" if shape.high is None else f"{shape.high:g}"
    unit = f", {shape.unit}" if shape.unit else ""
    return f"{shape.metric}, to {shape.direction}, from {low} to {high}{unit}"
