"""Scenarios: the configuration that one begins with, and the preflight that its runs must pass."""

from __future__ import annotations

from gepa_framework.app.scenarios.checks import Check
from gepa_framework.app.scenarios.defaults import scenario_config
from gepa_framework.app.scenarios.listing import Listed, listed_scenarios
from gepa_framework.app.scenarios.preflight import preflight
from gepa_framework.app.scenarios.writing import scenario_text

__all__ = ["Check", "Listed", "listed_scenarios", "preflight", "scenario_config", "scenario_text"]
