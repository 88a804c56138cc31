"""The registry of runs, as far as it tells of one of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from gepa_framework.app import files

#: What a row says while a run is in some state.
_SAYS: Mapping[str, tuple[str, ...]] = {
    "created": ("started",),
    "running": ("started", "resumed"),
}
_BEGINNINGS = ("started", "resumed")


def is_told(status: str, state: str) -> bool:
    """Tell whether a row of that status tells of that state."""
    return status in _SAYS.get(state, (state,))


def registered_rows(run_dir: Path) -> list[Mapping[str, Any]]:
    """Give the rows of a run, oldest first; a line that is torn is no row."""
    path = run_dir.parent / files.REGISTRY
    try:
        stat = path.stat()
    except FileNotFoundError:
        return []
    return _rows(path, stat.st_size, stat.st_mtime_ns).get(run_dir.name, [])


@lru_cache(maxsize=4)
def _rows(path: Path, _size: int, _mtime_ns: int) -> Mapping[str, list[Mapping[str, Any]]]:
    """Give the rows by the name of the run's directory; read once for all runs of a directory."""
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
            rows.setdefault(Path(row["run_dir"]).name, []).append(row)
        except (ValueError, KeyError, TypeError):
            continue
    return rows


def times(run_dir: Path, state: str) -> dict[str, str | None]:
    """Give when a run was started, and when it came to the end that it has."""
    rows = registered_rows(run_dir)
    started = next((row.get("ts") for row in rows if row.get("status") == "started"), None)
    last = rows[-1] if rows else {}
    over = last.get("status") not in _BEGINNINGS and is_told(str(last.get("status")), state)
    return {"started_at": started, "completed_at": last.get("ts") if over else None}
