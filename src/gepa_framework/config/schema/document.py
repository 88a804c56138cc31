"""The JSON Schema of a whole ``gepa.toml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from gepa_framework.config.effects import NO_EFFECT, NO_EFFECT_YET
from gepa_framework.config.reader import ListenerSettings
from gepa_framework.config.schema.constraints import Schema
from gepa_framework.config.schema.tables import PluginKeys, PluginTable, definitions, table_schema
from gepa_framework.config.schema.types import class_schema
from gepa_framework.config.sections import (
    AcceptanceSection,
    CacheSettings,
    CandidateSection,
    DatasetTable,
    DiskBudgetSection,
    GepaSection,
    MergeSection,
    PluginsSection,
    PolicyTable,
    PriceTable,
    ProposerSettings,
    RunSection,
    SelectionSection,
    TasksetTable,
)
from gepa_framework.types import Kind

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TITLE = "gepa.toml"
#: The older spellings of `[gepa]`.
OLDER = (
    "acceptance_criterion",
    "candidate_selector",
    "frontier_type",
    "minibatch_accept_margin",
    "minibatch_acceptance_criterion",
    "seed_pools",
)
_SECTIONS: Mapping[str, type[object]] = MappingProxyType(
    {
        "run": RunSection,
        "plugins": PluginsSection,
        "dataset": DatasetTable,
        "taskset": TasksetTable,
        "candidate": CandidateSection,
        "gepa": GepaSection,
        "selection": SelectionSection,
        "acceptance": AcceptanceSection,
        "merge": MergeSection,
        "disk_budget": DiskBudgetSection,
    }
)
_TABLES: Mapping[str, PluginTable] = MappingProxyType(
    {
        "container": PluginTable(Kind.TRANSPORT, "transport", "The task's container.", "synth_containers"),
        "proposer": PluginTable(Kind.PROPOSER, "backend", "Who writes new texts.", own=ProposerSettings),
        "cache": PluginTable(Kind.CACHE, "backend", "Where answers are kept.", "sqlite", own=CacheSettings),
        "executor": PluginTable(Kind.EXECUTOR, "use", "Where rollouts run."),
        "store": PluginTable(Kind.STORE, "use", "Where the journal is kept.", "sqlite"),
    }
)
_ARRAYS: Mapping[str, PluginTable] = MappingProxyType(
    {
        "stoppers": PluginTable(Kind.STOPPER, "use", "A further reason to stop."),
        "listeners": PluginTable(Kind.LISTENER, "use", "Who is told of events.", own=ListenerSettings),
    }
)
#: The kinds of plugins that a table selects.
KINDS: frozenset[Kind] = frozenset(table.kind for table in (*_TABLES.values(), *_ARRAYS.values()))


def config_schema(plugins: Sequence[PluginKeys]) -> Schema:
    """Give the JSON Schema of a ``gepa.toml``.

    It refuses nothing that the parser takes, but for names of plugins that are spelt otherwise than their
    makers do; it takes what only several keys together make wrong.

    Args:
        plugins: Those that may be selected; each must be of one of `KINDS`.
    """
    tables = [*_TABLES.values(), *_ARRAYS.values()]
    return {
        "$schema": DIALECT,
        "title": TITLE,
        "description": "A run of GEPA. Made by `gepa schema`.",
        "type": "object",
        "properties": {**_properties(plugins)},
        "required": ["container", "proposer"],
        "oneOf": [{"required": ["dataset"]}, {"required": ["taskset"]}],
        "additionalProperties": False,
        "$defs": {**definitions(tables, plugins)},
    }


def _properties(plugins: Sequence[PluginKeys]) -> Mapping[str, Schema]:
    sections = {name: class_schema(cls) for name, cls in _SECTIONS.items()}
    for key in OLDER:
        sections["gepa"]["properties"][key]["deprecated"] = True
    _mark_without_effect(sections)
    return {
        **sections,
        "policy": {**class_schema(PolicyTable), "additionalProperties": True},
        "seed_candidate": {
            "type": "object",
            "description": "Component to text to start from; the program's own without it.",
            "additionalProperties": {"type": "string", "minLength": 1},
            "minProperties": 1,
        },
        "prices": {"type": "array", "items": class_schema(PriceTable)},
        **{name: table_schema(table, plugins) for name, table in _TABLES.items()},
        **{name: {"type": "array", "items": table_schema(table, plugins)} for name, table in _ARRAYS.items()},
    }


def _mark_without_effect(sections: Mapping[str, Schema]) -> None:
    reasons = {**dict.fromkeys(NO_EFFECT_YET, "No effect yet."), **_reasons()}
    for path, reason in reasons.items():
        first, *rest = path.split(".")
        schema = sections[first]
        for key in rest:
            # What may be a name or a table has the table last.
            schema = schema.get("anyOf", [schema])[-1]["properties"][key]
        schema["description"] = " ".join(part for part in (schema.get("description"), reason) if part)


def _reasons() -> Mapping[str, str]:
    return {path: f"No effect: {reason}." for path, reason in NO_EFFECT.items()}
