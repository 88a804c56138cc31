"""The plan of a run, out of its configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs

from gepa_framework.app.plan_parts import (
    estimates_of,
    generating_of,
    merging_of,
    pipelining_of,
    prices_of,
    weighing_of,
)
from gepa_framework.config import DatasetSection, GepaSection, LoadedConfig, PluginChoice, RunConfig
from gepa_framework.config.sections import ProposerSettings
from gepa_framework.engine import (
    Accepting,
    ComponentRule,
    DeploymentRule,
    EvidenceLimits,
    FailedRollouts,
    Leakage,
    Limits,
    Plan,
    Sampling,
    Selecting,
    heldout_reserve,
)
from gepa_framework.types import JSONObject, JSONValue, Kind, RowsRequest, digest

#: Tables and keys that say where and how fast, but not what.
_CIRCUMSTANCES = frozenset({"cache", "container", "executor", "listeners", "plugins", "run", "store"})
#: Keys of ``[gepa]`` and ``[gepa.pipeline]`` that say how fast.
_PACE = frozenset(
    {
        "adaptive_rollout_concurrency",
        "call_timeout_seconds",
        "retry_backoff_seconds",
        "rollout_poll_interval_ms",
        "workers",
    }
)


def make_plan(loaded: LoadedConfig) -> Plan:
    """Give the plan that a configuration describes."""
    config, gepa = loaded.config, loaded.config.gepa
    heldout = heldout_names(config)
    return Plan(
        seed=config.run.seed,
        train=_rows(config.dataset, config.dataset.train_split, config.dataset.train),
        heldout=_rows(config.dataset, config.dataset.heldout_split, heldout),
        limits=limits_of(gepa, heldout=heldout_reserve(len(heldout), 0)),
        seed_candidate=config.seed_candidate,
        target_modules=config.candidate.target_modules,
        candidate_prefix=config.candidate.candidate_id_prefix,
        pareto=tuple(map(str, gepa.task_pools.pareto or ())),
        minibatch_pool=tuple(map(str, gepa.task_pools.minibatch or ())),
        minibatch_size=gepa.minibatch_size,
        selecting=_selecting(config),
        accepting=_accepting(config),
        sampling=_sampling(gepa),
        frontier=config.selection.frontier,
        objectives=gepa.objective_directions,
        failed_rollouts=FailedRollouts(gepa.failed_rollout_policy),
        failure_tolerance=gepa.rollout_failure_rate_tolerance,
        perfect_score=gepa.perfect_score,
        component_rule=ComponentRule(gepa.component_selector),
        include_rejected=gepa.include_rejected,
        max_proposer_failures=gepa.max_consecutive_proposer_failures,
        pipelining=pipelining_of(gepa.pipeline),
        generating=generating_of(gepa),
        merging=merging_of(config.merge),
        weighing=weighing_of(config),
        estimates=estimates_of(gepa),
        prices=prices_of(config),
        deployment_rule=DeploymentRule(gepa.deployment_rule),
        verdict_confidence=gepa.verdict_confidence,
        config_digest=config_digest(loaded.resolved),
        policy=config.policy,
        max_component_chars=gepa.max_component_chars,
        repair_turns=gepa.proposal_repair_turns,
        allow_model_substitution=config.proposer.allow_model_substitution,
        evidence=EvidenceLimits(**attrs.asdict(gepa.evidence)),
        leakage=Leakage(**attrs.asdict(gepa.leakage)),
    )


def _rows(dataset: DatasetSection, split: str, names: Sequence[int | str]) -> RowsRequest:
    if dataset.kind == "seeds":
        return RowsRequest(split, seeds=tuple(int(name) for name in names), filters=dataset.filters)
    return RowsRequest(split, ids=tuple(map(str, names)), filters=dataset.filters)


def _selecting(config: RunConfig) -> Selecting:
    section = config.selection
    return Selecting(
        rule=section.strategy,
        epsilon=section.epsilon,
        k=section.k,
        best_floor=section.best_floor,
        batch=section.batch,
    )


def _accepting(config: RunConfig) -> Accepting:
    section = config.acceptance
    return Accepting(
        rule=section.rule,
        margin=section.margin,
        confidence=section.confidence,
        power=section.power,
        win_rate=section.win_rate,
        max_rows=section.max_rows,
    )


def _sampling(gepa: GepaSection) -> Sampling:
    sampler = gepa.batch_sampler
    rule = "ordered" if sampler.name == "ordered_epoch" else sampler.name
    return Sampling(rule=rule, field=sampler.field, floor=sampler.floor)


def heldout_names(config: RunConfig) -> Sequence[int | str]:
    """Give the heldout rows, as they are named in the configuration."""
    return config.gepa.task_pools.heldout or config.dataset.heldout


def limits_of(gepa: GepaSection, *, heldout: int) -> Limits:
    """Give the limits.

    Args:
        gepa: The ``[gepa]`` table.
        heldout: Heldout rollouts that are kept of all, where they have no limit of their own.
    """
    total = gepa.max_total_rollouts
    alone = gepa.max_train_rollouts is None and gepa.max_heldout_rollouts is None
    train = max(0, total - heldout) if alone else gepa.max_train_rollouts or total
    return Limits(
        train_rollouts=train,
        heldout_rollouts=gepa.max_heldout_rollouts or total,
        total_rollouts=total if alone else None,
        proposals=gepa.max_proposals,
        iterations=gepa.max_generations,
        seconds=gepa.max_time_seconds,
        cost_usd=gepa.max_cost_usd or None,
        prompt_tokens=gepa.max_prompt_tokens,
        completion_tokens=gepa.max_completion_tokens,
        total_tokens=gepa.max_total_tokens,
    )


def config_digest(resolved: JSONObject) -> str:
    """Give the digest of what decides a run: the same wherever and however fast it is run."""
    return digest(decisive(resolved))


def decisive(resolved: JSONObject) -> JSONObject:
    """Give what decides a run, its seed aside: not where it is run, and not how fast."""
    kept = {name: value for name, value in resolved.items() if name not in _CIRCUMSTANCES}
    return {**kept, "gepa": _without_pace(resolved.get("gepa"))}


def asked_of_proposer(resolved: JSONObject) -> JSONValue:
    """Give the proposer's table without what is not its own business, and changes no answer of it."""
    table = resolved["proposer"]
    if not isinstance(table, Mapping):
        return table
    return {name: value for name, value in table.items() if name not in attrs.fields_dict(ProposerSettings)}


def _without_pace(gepa: JSONValue) -> JSONValue:
    if not isinstance(gepa, Mapping):
        return gepa
    pipeline = gepa.get("pipeline")
    kept = {name: value for name, value in gepa.items() if name not in _PACE}
    if isinstance(pipeline, Mapping):
        kept["pipeline"] = {name: value for name, value in pipeline.items() if name not in _PACE}
    return kept


def desugared_stoppers(
    config: RunConfig, config_class: Callable[[Kind, str], type[object]]
) -> list[PluginChoice]:
    """Give the stoppers that the older keys of ``[gepa]`` stand for."""
    gepa = config.gepa
    wanted = (
        ("no_improvement", "iterations", gepa.no_improvement_generations),
        ("score_threshold", "score", gepa.score_threshold_value),
    )
    return [
        PluginChoice(
            kind=Kind.STOPPER,
            name=name,
            options=config_class(Kind.STOPPER, name)(**{key: value}),
            path=f"gepa.{name}",
        )
        for name, key, value in wanted
        if value is not None
    ]
