"""Reading a configuration: text, overrides, tables, cross-checks; every problem in one report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import attrs

from gepa_framework.config.document import parse_document
from gepa_framework.config.effects import NO_EFFECT, without_effect
from gepa_framework.config.free import policy_of, seed_candidate_of
from gepa_framework.config.model import CacheSection, DatasetSection, LoadedConfig, ProposerChoice, RunConfig
from gepa_framework.config.normalise import dataset_of, pools_of
from gepa_framework.config.objectives import check_objectives, objectives_of
from gepa_framework.config.overrides import apply_overrides
from gepa_framework.config.pipelines import pipeline_of, warn_of_another_order
from gepa_framework.config.places import Places, Report
from gepa_framework.config.reader import Reader, Resolve
from gepa_framework.config.resolved import resolved_json
from gepa_framework.config.rules import (
    acceptance_of,
    merge_of,
    sampler_of,
    selection_of,
    warn_of_keeping,
)
from gepa_framework.config.sections import (
    AcceptanceSection,
    CacheSettings,
    CandidateSection,
    DiskBudgetSection,
    GepaSection,
    PluginsSection,
    ProposerSettings,
    RunSection,
)
from gepa_framework.config.spending import check_estimates, prices_of, warn_of_too_few_proposals
from gepa_framework.config.structure import did_you_mean
from gepa_framework.errors import InvariantError, PluginError
from gepa_framework.types import Kind

T = TypeVar("T")
_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})
_TABLES = frozenset({*(field.name for field in attrs.fields(RunConfig)), "taskset"})
#: Tables of V1 that have no counterpart on purpose.
_REFUSED_TABLES: Mapping[str, str] = MappingProxyType(
    {
        "jesterky_workflow": "traces are not sent to an outside annotator: delete the table",
        "usage_registration": "nothing is ever reported to anybody: delete the table",
    }
)


def parse_config(
    text: str,
    *,
    file: str,
    base_dir: Path,
    sets: Sequence[str] = (),
    environ: Mapping[str, str] = _NO_VARIABLES,
    resolve: Resolve,
    prepare: Callable[[PluginsSection], None] | None = None,
) -> LoadedConfig:
    """Read a configuration.

    Args:
        text: The TOML text.
        file: What messages call it.
        base_dir: What relative paths are relative to.
        sets: Arguments of ``--set``, such as ``gepa.minibatch_size=4``; they win over all else.
        environ: The environment; the variables that override keys win over the text.
        resolve: Gives the configuration class of a plugin by kind and name; raises `PluginError`.
        prepare: Called once with ``[plugins]`` before the first plugin is resolved; may raise `PluginError`.

    Raises:
        ConfigError: The document is wrong; carries all of its problems, in the order of the file.
        PluginError: The document is right, but a plugin that it selects cannot be used; says where it stands.
    """
    document = parse_document(text, file)
    made = apply_overrides(document.data, environ, sets)
    report = Report(Places(file, document.positions, made.origins), list(made.problems))
    reader = Reader(document.data, report, resolve)
    config = _config(reader, base_dir, prepare)
    return LoadedConfig(
        config=config,
        warnings=report.sorted_warnings(),
        text=text,
        file=file,
        base_dir=base_dir,
        positions=MappingProxyType(document.positions),
        resolved=resolved_json(config),
        overrides=tuple(map(str, made.changes)),
        changes=tuple(made.changes),
        sets=tuple(made.sets),
        origins=MappingProxyType(made.origins),
    )


def _config(reader: Reader, base_dir: Path, prepare: Callable[[PluginsSection], None] | None) -> RunConfig:
    _check_tables(reader)
    plugins = reader.section("plugins", PluginsSection)
    _prepare(reader, plugins, prepare)
    run = reader.section("run", RunSection)
    candidate = reader.section("candidate", CandidateSection)
    gepa = reader.section("gepa", GepaSection)
    merge = merge_of(reader)
    disk_budget = reader.section("disk_budget", DiskBudgetSection)
    _warn(reader, {"gepa": gepa, "disk_budget": disk_budget})
    dataset = dataset_of(reader)
    seed_candidate = seed_candidate_of(reader)
    policy = policy_of(reader)
    selection = selection_of(reader, gepa)
    acceptance = acceptance_of(reader, gepa)
    check_objectives(reader, gepa, selection, acceptance)
    check_estimates(reader, gepa)
    warn_of_too_few_proposals(reader, gepa)
    warn_of_keeping(reader, gepa)
    prices = prices_of(reader)
    gepa = _current_gepa(reader, gepa, acceptance, dataset)
    container = reader.plugin(("container",), Kind.TRANSPORT, "transport", "synth_containers")
    proposer = _proposer(reader)
    cache = _cache(reader)
    warn_of_another_order(reader, gepa, cache)
    executor = reader.plugin(("executor",), Kind.EXECUTOR, "use") if "executor" in reader.data else None
    store = reader.plugin(("store",), Kind.STORE, "use", "sqlite")
    stoppers, listeners = reader.stoppers(), reader.listeners()
    reader.report.done()
    return RunConfig(
        run=attrs.evolve(run, output_dir=base_dir / run.output_dir),
        container=_present(container),
        dataset=_present(dataset),
        candidate=candidate,
        seed_candidate=seed_candidate,
        policy=policy,
        proposer=_present(proposer),
        gepa=gepa,
        cache=_present(cache),
        plugins=plugins,
        stoppers=stoppers,
        listeners=listeners,
        executor=executor,
        selection=selection,
        acceptance=acceptance,
        merge=merge,
        prices=prices,
        disk_budget=disk_budget,
        store=_present(store),
    )


def _check_tables(reader: Reader) -> None:
    for name, value in reader.data.items():
        if name in _REFUSED_TABLES:
            reader.report.add((name,), "is not supported", _REFUSED_TABLES[name])
        elif name not in _TABLES:
            sort = "table" if isinstance(value, dict | list) else "key"
            reader.report.add((name,), f"unknown {sort} '{name}'", did_you_mean(name, _TABLES))


def _prepare(
    reader: Reader, plugins: PluginsSection, prepare: Callable[[PluginsSection], None] | None
) -> None:
    if prepare is None:
        return
    try:
        prepare(plugins)
    except PluginError as error:
        reader.report.refuse(("plugins",), error)
        reader.plugins_ready = False


def _warn(reader: Reader, sections: Mapping[str, object]) -> None:
    for path in without_effect(reader.data, sections):
        reader.report.warn(path, "has no effect yet")
    for key, reason in NO_EFFECT.items():
        for path in without_effect(reader.data, sections, (key,)):
            reader.report.warn(path, "has no effect", reason)


def _current_gepa(
    reader: Reader, gepa: GepaSection, acceptance: AcceptanceSection, dataset: DatasetSection | None
) -> GepaSection:
    """Give ``[gepa]`` with everything older moved to where it belongs now."""
    return attrs.evolve(
        gepa,
        minibatch_accept_margin=acceptance.margin,
        acceptance_criterion=None,
        minibatch_acceptance_criterion=None,
        candidate_selector=None,
        frontier_type=None,
        objective_directions=objectives_of(reader.report, gepa),
        batch_sampler=sampler_of(reader, gepa),
        task_pools=pools_of(reader.report, gepa, dataset),
        seed_pools=None,
        pipeline=pipeline_of(reader, gepa, acceptance),
    )


def _proposer(reader: Reader) -> ProposerChoice | None:
    settings = reader.own(("proposer",), ProposerSettings)
    own = tuple(attrs.fields_dict(ProposerSettings))
    choice = reader.plugin(("proposer",), Kind.PROPOSER, "backend", also=own)
    if settings is None or choice is None:
        return None
    return ProposerChoice(
        choice.kind, choice.name, choice.options, choice.path, settings.allow_model_substitution
    )


def _cache(reader: Reader) -> CacheSection | None:
    settings = reader.own(("cache",), CacheSettings)
    own = tuple(attrs.fields_dict(CacheSettings))
    backend = reader.plugin(("cache",), Kind.CACHE, "backend", "sqlite", also=own)
    return CacheSection(settings.mode, settings.namespace, backend) if settings and backend else None


def _present(value: T | None) -> T:
    if value is None:
        raise InvariantError("a part of the configuration is missing although no problem was found")
    return value
