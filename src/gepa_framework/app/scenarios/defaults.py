"""The configuration that a scenario begins with, as the tables of a ``gepa.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gepa_framework.errors import PluginBrokenError
from gepa_framework.types import JSONObject, Scenario


def scenario_config(scenario: Scenario) -> dict[str, Any]:
    """Give the tables: those of the scenario, with its id, its command and its budgets where they belong.

    Raises:
        PluginBrokenError: The scenario says one of them twice.
    """
    tables: dict[str, Any] = {name: _plain(table) for name, table in scenario.config.items()}
    ours: dict[str, JSONObject] = {"run": {"scenario": scenario.id}}
    if scenario.command:
        ours["container"] = {"command": list(scenario.command)}
    if scenario.budgets:
        ours["gepa"] = dict(scenario.budgets)
    return {**tables, **{name: _joined(scenario.id, name, tables.get(name, {}), ours[name]) for name in ours}}


def _joined(scenario: str, name: str, table: Any, ours: JSONObject) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise PluginBrokenError(
            f"the scenario '{scenario}' has a config whose '{name}' is no table", hint="tell its makers"
        )
    if twice := sorted(table.keys() & ours.keys()):
        raise PluginBrokenError(
            f"the scenario '{scenario}' says {name}.{twice[0]} twice",
            hint="its makers must leave out of config what id, command and budgets say",
        )
    return {**table, **ours}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
