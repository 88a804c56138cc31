"""Configuration: from a TOML file to typed values, with every problem at once and its place."""

from __future__ import annotations

from gepa_framework.config.effects import NO_EFFECT, NO_EFFECT_YET
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
from gepa_framework.config.options import read_options, written_options
from gepa_framework.config.overrides import read_assignment
from gepa_framework.config.plugin_class import check_config_class
from gepa_framework.config.reader import Resolve
from gepa_framework.config.sections import (
    AcceptanceSection,
    CandidateSection,
    DiskBudgetSection,
    GepaSection,
    MergeSection,
    PipelineTable,
    PluginsSection,
    PriceTable,
    RunSection,
    SelectionSection,
)
from gepa_framework.config.spending import total_tokens
from gepa_framework.config.variables import VARIABLES

__all__ = [
    "NO_EFFECT",
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
    "PipelineTable",
    "PluginChoice",
    "PluginsSection",
    "PriceTable",
    "Resolve",
    "RunConfig",
    "RunSection",
    "SelectionSection",
    "check_config_class",
    "locate_problem",
    "parse_config",
    "read_assignment",
    "read_options",
    "total_tokens",
    "written_options",
]
