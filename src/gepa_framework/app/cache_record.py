"""The profile of a run's cache, as far as its journal tells."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gepa_framework.app import files
from gepa_framework.app.status.counts import accesses
from gepa_framework.app.status.record import cache_facts
from gepa_framework.app.status.registry import registered_rows
from gepa_framework.types import JSONObject
from gepa_framework.workspace import Standing

_ACTIONS = ("hit", "miss", "write")


def cache_profile(run_dir: Path, standing: Standing) -> JSONObject | None:
    """Give the profile that is to be written; ``None`` where the one that is there may stay.

    A profile tells of calls that never came back, too, of which the journal does not know. It stays unless it
    is missing, cannot be read, or tells of fewer accesses than the journal does.
    """
    counts = accesses(standing)
    if _covers(files.read_object(run_dir / files.CACHE_PROFILE), counts):
        return None
    boundaries = {name: dict(sorted(actions.items())) for name, actions in sorted(counts.items())}
    known = cache_facts(standing.meta)
    totals = {name: sum(actions.get(name, 0) for actions in boundaries.values()) for name in _ACTIONS}
    legs = sum(row.get("status") in ("started", "resumed") for row in registered_rows(run_dir))
    return {
        "mode": known["cache_mode"],
        "namespace": known["cache_namespace"],
        "totals": totals,
        "boundaries": boundaries,
        "legs": max(1, legs),
        "uncounted_legs": 0,
    }


def _covers(found: Mapping[str, Any] | None, counts: Mapping[str, Mapping[str, int]]) -> bool:
    try:
        told = (found or {})["boundaries"]
        return all(
            int(told[name][action]) >= count
            for name, actions in counts.items()
            for action, count in actions.items()
        )
    except (KeyError, TypeError, ValueError):
        return False
