"""All scenarios that are installed, and what keeps the others from being used."""

from __future__ import annotations

import attrs

from gepa_framework.errors import PluginError
from gepa_framework.plugins import Found, Plugins, State
from gepa_framework.types import Scenario


@attrs.frozen
class Listed:
    """The scenarios of one extra.

    Attributes:
        found: Where they come from.
        scenarios: Those that it offers; empty where it cannot be used.
        problem: Why it cannot; empty where it can.
    """

    found: Found
    scenarios: tuple[Scenario, ...] = ()
    problem: str = ""

    def name_of(self, scenario: Scenario) -> str:
        """Give what selects a scenario: its id, with the distribution where two offer its name."""
        ambiguous = self.found.state is State.AMBIGUOUS
        return f"{self.found.dist}:{scenario.id}" if ambiguous else scenario.id


def listed_scenarios(plugins: Plugins) -> tuple[Listed, ...]:
    """Give every scenario; imports the extras that have some, and no other plugin."""
    return tuple(_listed(plugins, found) for found in plugins.scenario_sources())


def _listed(plugins: Plugins, found: Found) -> Listed:
    try:
        return Listed(found, plugins.scenarios(f"{found.dist}:{found.scenario}"))
    except PluginError as error:
        return Listed(found, problem=error.message)
