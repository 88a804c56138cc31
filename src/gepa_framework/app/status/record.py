"""The record of one run, as status gives it."""

from __future__ import annotations

import json
import time
import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from gepa_framework.app import files
from gepa_framework.app.status.counts import status_counts, table_counts
from gepa_framework.app.status.freshness import projections, read_manifest
from gepa_framework.app.status.money import budget_status, limit_counts, usage_of
from gepa_framework.app.status.registry import times
from gepa_framework.app.status.reports import last_report
from gepa_framework.app.status.source import Source, read_source
from gepa_framework.errors import GepaError
from gepa_framework.types import JSONObject
from gepa_framework.workspace import Standing, file_errors, holder_of


def run_record(source: Source) -> JSONObject:
    """Give everything that status tells of a run.

    Raises:
        WorkspaceError: There is no run, or it cannot be read.
        PluginError: Its store cannot be used.
    """
    # Files first: whatever they tell is in the journal already, even of a run that goes on.
    holder = holder_of(source.run_dir)
    with file_errors(source.run_dir):
        manifest = read_manifest(source.run_dir) or {}
    standing = read_source(source)
    state = state_of(standing, holder, manifest)
    usage = _usage(standing, manifest)
    budget = budget_status(standing, usage)
    found = projections(source, standing, state, thorough=False)
    return {
        "run_id": standing.meta.get("run_id", ""),
        "state": state,
        "holder": holder if state == "running" else "",
        **cache_facts(standing.meta),
        "output_dir": str(source.run_dir.parent),
        "run_dir": str(source.run_dir),
        "workspace_db_path": None if source.database is None else str(source.database),
        "manifest_path": str(source.run_dir / files.MANIFEST),
        "manifest_present": bool(manifest),
        "framework": standing.meta.get("framework", ""),
        "best_candidate_id": standing.best_candidate_id,
        "best_score": standing.best_score,
        "cost_usd": usage["cost_usd"],
        "usage": usage,
        **times(source.run_dir, state),
        "updated_at": _updated_at(source),
        "elapsed_seconds": standing.elapsed_seconds,
        "failure": manifest.get("failure") if state == "failed" else None,
        "counts": table_counts(standing),
        **status_counts(standing),
        "stopper_state_status_counts": limit_counts(budget),
        "projection_freshness": [each.to_dict() for each in found],
        "projection_status_counts": dict(sorted(Counter(each.status.value for each in found).items())),
        "invariant_report": last_report(source.run_dir, standing).to_dict(),
        "latest_transition": None if standing.transition is None else attrs.asdict(standing.transition),
        "budget_status": budget,
    }


def unreadable(source: Source, error: GepaError) -> JSONObject:
    """Give what status tells of a run that cannot be read."""
    told = {"error_code": error.error_code, "message": error.message, "hint": error.hint}
    return {
        "run_id": source.run_dir.name,
        "run_dir": str(source.run_dir),
        "state": "unreadable",
        "error": told,
    }


def state_of(standing: Standing, holder: str, manifest: Mapping[str, Any]) -> str:
    """Give the state of a run.

    Args:
        standing: Where its journal stands.
        holder: Who works on it; empty where nobody does.
        manifest: What its last leg left.
    """
    if standing.ending:
        return standing.ending.rpartition(".")[2]
    if holder:
        return "running"
    if not standing.events:
        return "created"
    # What broke a leg is not in the journal, so that a mended world is asked again.
    failed = manifest.get("status") == "failed" and manifest.get("events") == standing.events
    return "failed" if failed else "interrupted"


def _usage(standing: Standing, manifest: Mapping[str, Any]) -> dict[str, Any]:
    usage: dict[str, Any] = usage_of(standing)
    if usage["cost_usd"] is None and manifest.get("events") == standing.events:
        # The books of the run know the prices of tokens.
        usage["cost_usd"] = manifest.get("cost_usd")
    return usage


def cache_facts(meta: Mapping[str, str]) -> dict[str, str]:
    """Give mode and namespace of the cache, from what was recorded when the run began."""
    table = {} if "cache_mode" in meta else _cache_table(meta)
    mode = meta.get("cache_mode", table.get("mode", "off"))
    default = f"gepa:{meta.get('run_id', '')}"
    namespace = meta.get("cache_namespace", table.get("namespace") or default)
    return {"cache_mode": mode, "cache_namespace": namespace}


def _cache_table(meta: Mapping[str, str]) -> dict[str, str]:
    """Give the table ``[cache]`` of a run that was begun before its facts were recorded."""
    table = tomllib.loads(meta.get("config_text", "")).get("cache", {})
    sets = json.loads(meta.get("sets", "[]"))
    pairs = (str(each).partition("=") for each in sets)
    raised = {key.removeprefix("cache."): value for key, _, value in pairs if key.startswith("cache.")}
    return {str(key): str(value) for key, value in {**table, **raised}.items()}


def _updated_at(source: Source) -> str | None:
    database = source.database or source.run_dir / files.EVENTS
    latest = [path.stat().st_mtime for path in (database, _wal(database)) if path.is_file()]
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(max(latest))) if latest else None


def _wal(database: Path) -> Path:
    return database.with_name(f"{database.name}-wal")
