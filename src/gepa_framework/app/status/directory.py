"""`workspace_status`: one run, or all runs of a directory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from gepa_framework.app.status.record import run_record, unreadable
from gepa_framework.app.status.source import Source, find_sources
from gepa_framework.errors import GepaError
from gepa_framework.types import JSONObject

SCHEMA: Final = "workspace_status.v1"


def workspace_status(path: str | Path) -> dict[str, Any]:
    """Tell where runs stand. Nothing is written, and a run that goes on is not held up.

    Args:
        path: A ``workspace.sqlite``, the directory of a run, or a directory of runs. In a directory of runs,
            one that cannot be read is listed with the state ``unreadable`` and the reason.

    Raises:
        WorkspaceError: The path names no run, or one that cannot be read.
        PluginError: The store of the run cannot be used.
    """
    path = Path(path)
    sources, several = find_sources(path)
    runs = [_tolerant(source) for source in sources] if several else [run_record(sources[0])]
    return {
        "schema_version": SCHEMA,
        "path": str(path),
        "runs": runs,
        "run_state_counts": _counted(run["state"] for run in runs),
        "run_requests": [],
        "run_request_status_counts": {},
        "operation_status_counts": {},
        "resource_lease_status_counts": {},
        "resource_lease_kind_counts": {},
        "projection_status_counts": _projected(runs),
        "invariant_status_counts": _counted(_reported(run) for run in runs if "invariant_report" in run),
    }


def _tolerant(source: Source) -> JSONObject:
    try:
        return run_record(source)
    except GepaError as error:
        return unreadable(source, error)


def _projected(runs: Sequence[Any]) -> dict[str, int]:
    return _counted(
        projection["status"] for run in runs for projection in run.get("projection_freshness", ())
    )


def _reported(run: Any) -> str:
    report = run["invariant_report"]
    return str(report["status"]) if report["current"] or report["status"] == "unchecked" else "outdated"


def _counted(names: Iterable[Any]) -> dict[str, int]:
    return dict(sorted(Counter(map(str, names)).items()))
