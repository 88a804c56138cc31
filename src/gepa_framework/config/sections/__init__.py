"""The framework's own tables as attrs classes; their fields are the keys."""

from __future__ import annotations

from gepa_framework.config.sections.basic import (
    CacheSettings,
    CandidateSection,
    DiskBudgetSection,
    MergeSection,
    PluginsSection,
    ProposerSettings,
    RunSection,
)
from gepa_framework.config.sections.gepa import GepaSection
from gepa_framework.config.sections.pipeline import PipelineTable
from gepa_framework.config.sections.policy import PolicyTable
from gepa_framework.config.sections.prices import PriceTable
from gepa_framework.config.sections.rows import DatasetTable, TasksetTable
from gepa_framework.config.sections.rules import AcceptanceSection, SelectionSection

__all__ = [
    "AcceptanceSection",
    "CacheSettings",
    "CandidateSection",
    "DatasetTable",
    "DiskBudgetSection",
    "GepaSection",
    "MergeSection",
    "PipelineTable",
    "PluginsSection",
    "PolicyTable",
    "PriceTable",
    "ProposerSettings",
    "RunSection",
    "SelectionSection",
    "TasksetTable",
]
