"""Facts of a run that a reader of its workspace needs beside the journal: recorded once, when it begins."""

from __future__ import annotations

from collections.abc import Mapping

from gepa_framework.app.prepare import Prepared
from gepa_framework.config import RunConfig
from gepa_framework.engine import Prices
from gepa_framework.types import JSONValue, canonical_json


def cache_namespace(config: RunConfig, run_id: str) -> str:
    """Give what keeps the answers of a run apart from others'."""
    return config.cache.namespace or f"gepa:{run_id}"


def facts(prepared: Prepared) -> Mapping[str, str]:
    """Give what the views of a workspace look up in `meta`, by key."""
    plan, config = prepared.plan, prepared.config
    return {
        "cache_mode": config.cache.mode,
        "cache_namespace": cache_namespace(config, prepared.run_id),
        "frontier": plan.frontier,
        "objectives": canonical_json(dict(plan.objectives)),
        "prices": canonical_json(_prices(plan.prices)),
    }


def _prices(prices: Prices) -> JSONValue:
    models: list[JSONValue] = [[*key, price.prompt, price.completion] for key, price in prices.models.items()]
    return {"rollout": prices.rollout, "proposer": prices.proposer, "models": models}
