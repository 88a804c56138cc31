"""The reference of the configuration names every key, with the type and default that it has."""

from __future__ import annotations

import importlib
import re
import types
import typing
from collections.abc import Mapping
from pathlib import Path

import attrs
import pytest

from gepa_framework.config import NO_EFFECT, NO_EFFECT_YET, VARIABLES, RunConfig, sections
from gepa_framework.config.sections import gepa, pipeline, rows

TABLES = {
    "run": sections.RunSection,
    "dataset": sections.DatasetTable,
    "taskset": sections.TasksetTable,
    "candidate": sections.CandidateSection,
    "policy": sections.PolicyTable,
    "gepa": sections.GepaSection,
    "gepa.task_pools": rows.PoolsTable,
    "gepa.seed_pools": rows.SeedPoolsTable,
    "gepa.candidate_selector": gepa.SelectorTable,
    "gepa.batch_sampler": gepa.SamplerTable,
    "gepa.objective_acceptance": gepa.ObjectivesTable,
    "gepa.evidence": gepa.EvidenceTable,
    "gepa.leakage": gepa.LeakageTable,
    "gepa.pipeline": sections.PipelineTable,
    "gepa.pipeline.workers": pipeline.WorkersTable,
    "gepa.pipeline.speculative_completion": pipeline.SpeculativeTable,
    "gepa.pipeline.adaptive_stage_workers": pipeline.AdaptiveWorkersTable,
    "gepa.pipeline.adaptive_rollout_concurrency": pipeline.AdaptiveRolloutsTable,
    "selection": sections.SelectionSection,
    "acceptance": sections.AcceptanceSection,
    "merge": sections.MergeSection,
    "disk_budget": sections.DiskBudgetSection,
    "plugins": sections.PluginsSection,
}
#: Heading of a plugin's own keys, page and module.
PLUGINS = {
    ("reference/config.md", 'backend = "sqlite"'): "gepa_framework.builtin.sqlite_cache",
    ("reference/config.md", 'backend = "memory"'): "gepa_framework.builtin.memory_cache",
    ("reference/config.md", 'use = "max_iterations"'): "gepa_framework.builtin.max_iterations",
    ("reference/config.md", 'use = "no_improvement"'): "gepa_framework.builtin.no_improvement",
    ("reference/config.md", 'use = "score_threshold"'): "gepa_framework.builtin.score_threshold",
    ("reference/config.md", 'use = "deadline"'): "gepa_framework.builtin.deadline",
    ("reference/config.md", 'use = "jsonl"'): "gepa_framework.builtin.jsonl",
    ("plugins/gepa-synth-containers.md", "Keys"): "gepa_synth_containers.plugin",
    ("plugins/gepa-cache-redis.md", "Keys"): "gepa_cache_redis.plugin",
    ("plugins/gepa-mlflow.md", "Keys"): "gepa_mlflow.plugin",
    ("plugins/gepa-codex.md", "Keys"): "gepa_codex.plugin",
    ("plugins/gepa-otel.md", "Keys"): "gepa_otel.plugin",
    ("plugins/gepa-prometheus.md", "Keys"): "gepa_prometheus.plugin",
    ("plugins/gepa-cookbook-banking77.md", "Keys"): "gepa_cookbook_banking77.proposer",
}
SCALARS = {bool: "boolean", int: "integer", float: "number", str: "string", Path: "path"}
SPECIAL = {rows.Seeds: "array of integers or range", rows.RowKeys: "array or range"}


def shown_type(kind):
    """Say a type in the words of the page."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return ", ".join(shown_type(one) for one in args if one is not type(None))
    if origin is typing.Literal:
        return ", ".join(f'`"{value}"`' for value in args)
    if origin is tuple:
        return f"array of {SCALARS[args[0]]}s"
    if origin is Mapping or attrs.has(kind):
        return "table"
    return SPECIAL.get(kind) or SCALARS[kind]


def shown_default(field):
    """Say a default in the words of the page."""
    value = field.default
    if value is attrs.NOTHING:
        return "required"
    if isinstance(value, attrs.Factory):
        value = value.factory()
    if value is None:
        return "none"
    if attrs.has(type(value)) or value in ((), {}):
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    return (
        f'"{value}"'
        if isinstance(value, str | Path)
        else str(list(value) if isinstance(value, tuple) else value)
    )


def keys_of(cls):
    """Give key, type and default of every field, as the page shows them."""
    hints = typing.get_type_hints(cls)
    return [
        (field.alias, shown_type(hints[field.name]).strip("`"), shown_default(field))
        for field in attrs.fields(cls)
    ]


@pytest.fixture
def config_page(page_text):
    return page_text("reference/config.md")


@pytest.mark.parametrize("name", TABLES)
def test_every_key_of_a_table_has_its_row(name, config_page, rows_of):
    told = [row[:3] for row in rows_of(config_page, f"[{name}]")]
    assert told == keys_of(TABLES[name])


def test_the_keys_that_select_a_plugin_have_their_rows(config_page, rows_of):
    cache = [*keys_of(sections.CacheSettings), ("backend", "string", '"sqlite"')]
    use = [("use", "string", "required")]
    wanted = {
        "[container]": [("transport", "string", '"synth_containers"')],
        "[proposer]": [("backend", "string", "required"), *keys_of(sections.ProposerSettings)],
        "[cache]": cache,
        "[[stoppers]]": use,
        "[[listeners]]": [*use, ("on_error", '"warn"`, `"disable"`, `"stop"', '"warn"')],
        "[executor]": use,
        "[store]": [("use", "string", '"sqlite"')],
    }
    assert {name: [row[:3] for row in rows_of(config_page, name)] for name in wanted} == wanted


@pytest.mark.parametrize(("place", "module"), PLUGINS.items(), ids=lambda value: str(value)[:60])
def test_every_key_of_a_first_party_plugin_has_its_row(place, module, page_text, rows_of):
    page, heading = place
    told = [row[:3] for row in rows_of(page_text(page), heading)]
    assert told == keys_of(importlib.import_module(module).plugin_info.config)


def test_every_table_has_its_heading(config_page):
    wanted = {*(field.name for field in attrs.fields(RunConfig)), "taskset"}
    missing = [
        name
        for name in sorted(wanted)
        if f"## `[{name}]`" not in config_page.replace("[[", "[").replace("]]", "]")
    ]
    assert not missing


def test_no_table_is_told_of_that_is_not_there(config_page):
    known = {*TABLES, *(field.name for field in attrs.fields(RunConfig)), "taskset"}
    assert not set(re.findall(r"^## `\[+([a-z_.]+)\]+`$", config_page, flags=re.MULTILINE)) - known


@pytest.mark.parametrize("name", TABLES)
def test_keys_without_effect_say_so(name, config_page, rows_of):
    section = config_page.partition(f"## `[{name}]`\n")[2].partition("\n## ")[0]
    whole = "No effect yet: the whole table." in section
    assert whole == (name in NO_EFFECT_YET)
    for row in rows_of(section):
        path = f"{name}.{row[0]}"
        assert whole or ("No effect yet" in row[3]) == (path in NO_EFFECT_YET), path


def test_keys_without_effect_for_good_say_so(config_page, rows_of):
    told = {
        f"{name}.{row[0]}"
        for name in TABLES
        for row in rows_of(config_page, f"[{name}]")
        if "No effect:" in row[3]
    }
    assert told == set(NO_EFFECT)


def test_every_key_of_a_price_has_its_row(config_page, rows_of):
    told = [row[:3] for row in rows_of(config_page, "[[prices]]")]
    assert told == keys_of(sections.PriceTable)


def test_every_variable_has_its_row(config_page, rows_of):
    told = rows_of(config_page, "Overrides")
    assert told == [(variable.name, variable.alias, variable.path) for variable in VARIABLES]
