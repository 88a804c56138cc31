"""Exports: files made from the machine and the chronicle; each can be made again from the journal."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from gepa_framework.app import files, identities
from gepa_framework.app.artifacts import keep_artifacts
from gepa_framework.app.chronicle import Chronicle
from gepa_framework.app.inspect.curve import Curve
from gepa_framework.app.result import GepaRunResult
from gepa_framework.engine import HeldoutScore, Machine, Pool, Run, deployed
from gepa_framework.errors import DiskBudgetError, GepaError, WorkspaceError
from gepa_framework.types import JSONObject, JSONValue

#: The field of a manifest that seals the others.
SEAL = "manifest_sha256"


def export(
    machine: Machine,
    chronicle: Chronicle,
    *,
    run_id: str,
    run_dir: Path,
    status: str,
    error: GepaError | None,
    cache_profile: JSONValue,
    store_location: str,
) -> GepaRunResult:
    """Write every file of the run's directory and give the result that they describe."""
    files.write_json(run_dir / files.CACHE_PROFILE, cache_profile)
    for name, text in derived_files(machine.run, chronicle).items():
        files.write_text(run_dir / name, text)
    if not isinstance(error, WorkspaceError | DiskBudgetError):
        # Else what lies in the journal's place may be another one, or there is no room for more.
        keep_artifacts(run_dir)
    result = make_result(
        machine,
        chronicle,
        run_id=run_id,
        run_dir=run_dir,
        status=status,
        error=error,
        store_location=store_location,
    )
    files.write_json(run_dir / files.MANIFEST, manifest(result))
    return result


def sealed(value: JSONObject) -> JSONObject:
    """Give a manifest with the SHA-256 of all that it says: not all of it follows from the journal."""
    return {**value, SEAL: hashlib.sha256(files.json_text(value).encode()).hexdigest()}


def manifest(result: GepaRunResult) -> JSONObject:
    """Give the manifest of a result."""
    return sealed({"schema": "gepa_result_manifest.v1", **result.to_dict()})


def derived_files(run: Run, chronicle: Chronicle) -> Mapping[str, str]:
    """Give the files that follow from the journal alone, by name."""
    candidates: JSONValue = [attrs.asdict(entry) for entry in chronicle.candidates.values()]
    return {
        files.CANDIDATES: files.json_text({"candidates": candidates}),
        files.FRONTIER: files.json_text(frontier(run)),
        files.BEST: files.json_text(_best(run)),
        files.CHART: _chart(run, chronicle),
    }


def _chart(run: Run, chronicle: Chronicle) -> str:
    # Drawing is imported by whoever draws: `gepa check` and the like have no use for it.
    from gepa_framework.app.report.chart import chart_file  # noqa: PLC0415

    return chart_file(Curve.of(chronicle.points, run.ledger.train_rollouts))


def frontier(run: Run) -> JSONValue:
    """Give the front: who is best on each Pareto row, and who survives the reduction."""
    if not run.has_pool:
        return {"cells": [], "members": [], "survivors": []}
    pool = run.pool
    names = [member.candidate.id for member in pool.members]
    return {
        "kind": pool.frontier.kind,
        "cells": [_cell(pool, cell, names) for cell in range(pool.frontier.cells)],
        "members": [
            {
                "candidate_id": name,
                "score": pool.frontier.mean(index),
                "stderr": pool.stderr(pool.members[index]),
                "coverage": pool.frontier.coverage(index),
                "parent_ids": pool.members[index].parent_ids,
            }
            for index, name in enumerate(names)
        ],
        "survivors": [names[index] for index in pool.frontier.survivors()],
        "weights": {names[index]: weight for index, weight in pool.frontier.weights()},
    }


def _cell(pool: Pool, cell: int, names: Sequence[str]) -> JSONValue:
    row_id, objective = pool.cell(cell)
    return {
        "row_id": row_id,
        "objective": objective,
        "best": pool.frontier.cell_best(cell),
        "candidates": [names[index] for index in pool.frontier.members(cell)],
    }


def _best(run: Run) -> JSONValue:
    if not run.has_pool:
        return {"candidate_id": None, "components": {}}
    best = deployed(run)
    known = identities.on_train(run, best)
    return {
        "candidate_id": best.candidate.id,
        "parent_ids": best.parent_ids,
        "iteration": best.iteration,
        "score": known.score,
        "stderr": known.stderr,
        "components": dict(best.candidate.components),
    }


def make_result(
    machine: Machine,
    chronicle: Chronicle,
    *,
    run_id: str,
    run_dir: Path,
    status: str,
    error: GepaError | None,
    store_location: str,
) -> GepaRunResult:
    """Give the result of a run as it stands."""
    run = machine.run
    best = deployed(run).candidate if run.has_pool else None
    on_train = identities.on_train(run, deployed(run)) if run.has_pool else None
    seed = identities.on_train(run, run.pool.members[0]) if run.has_pool else None
    usage = run.ledger.usage
    return GepaRunResult(
        run_id=run_id,
        run_dir=run_dir,
        status=status,
        best_candidate=dict(best.components) if best else {},
        best_candidate_id=best.id if best else "",
        best_score=on_train.score if on_train else None,
        best_stderr=on_train.stderr if on_train else None,
        seed_score=seed.score if seed else None,
        seed_stderr=seed.stderr if seed else None,
        heldout=_heldout(run),
        improvement_verdict=run.verdict,
        optimization_selected_candidate=identities.selected(run),
        heldout_best_candidate=identities.best_on_heldout(run),
        deployment_candidate=identities.deployment(run),
        heldout_measurements_by_candidate=identities.measurements(run),
        stopped_by=run.stopped,
        iterations=run.iteration,
        candidates=len(run.pool.members) if best else 0,
        rollouts=run.ledger.rollouts,
        failed_rollouts=run.ledger.failed_rollouts,
        cost_usd=usage.cost_usd,
        usage=usage,
        unpriced=run.ledger.unpriced,
        limits=run.limits.fields(),
        extensions=tuple(chronicle.extensions),
        events=chronicle.events,
        failure=_failure(error),
        manifest_path=run_dir / files.MANIFEST,
        event_feed_path=run_dir / files.EVENTS,
        normalized_event_feed_path=run_dir / files.NORMALISED,
        cache_profile_path=run_dir / files.CACHE_PROFILE,
        candidate_registry_path=run_dir / files.CANDIDATES,
        best_candidate_path=run_dir / files.BEST,
        frontier_path=run_dir / files.FRONTIER,
        score_chart_path=run_dir / files.CHART,
        run_registry_path=run_dir.parent / files.REGISTRY,
        workspace_db_path=_if_there(run_dir / files.WORKSPACE),
        artifact_refs=tuple(files.artifact_refs(run_dir)),
        state_history=tuple(chronicle.state_history),
        store_location=store_location,
    )


def _if_there(path: Path) -> Path | None:
    return path if path.is_file() else None


def _heldout(run: Run) -> dict[str, HeldoutScore]:
    if not run.has_pool:
        return {}
    roles = {"seed": run.seed.id, "best": deployed(run).candidate.id}
    return {role: run.heldout_scores[name] for role, name in roles.items() if name in run.heldout_scores}


def _failure(error: GepaError | None) -> JSONObject | None:
    if error is None:
        return None
    return {"error_code": error.error_code, "message": error.message, "hint": error.hint}
