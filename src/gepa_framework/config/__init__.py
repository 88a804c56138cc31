"""Configuration: from a TOML file to typed values, with every problem at once and its place."""

from __future__ import annotations

from gepa_framework.config.effects import NO_EFFECT_YET
from gepa_framework.config.load import parse_config
from gepa_framework.config.model import (
    CacheSection,
    DatasetSection,
    ListenerChoice,
    LoadedConfig,
    PluginChoice,
    RunConfig,
    locate_problem,
)
from gepa_framework.config.overrides import read_assignment
from gepa_framework.config.reader import Resolve
from gepa_framework.config.sections import (
    AcceptanceSection,
    CandidateSection,
    DiskBudgetSection,
    GepaSection,
    MergeSection,
    PluginsSection,
    RunSection,
    SelectionSection,
)
from gepa_framework.config.variables import VARIABLES

__all__ = [
    "NO_EFFECT_YET",
    "VARIABLES",
    "AcceptanceSection",
    "CacheSection",
    "CandidateSection",
    "DatasetSection",
    "DiskBudgetSection",
    "GepaSection",
    "ListenerChoice",
    "LoadedConfig",
    "MergeSection",
    "PluginChoice",
    "PluginsSection",
    "Resolve",
    "RunConfig",
    "RunSection",
    "SelectionSection",
    "locate_problem",
    "parse_config",
    "read_assignment",
]
