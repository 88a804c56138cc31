"""Freshness: how far everything that is derived has come behind what it is derived from."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from gepa_framework.app import files
from gepa_framework.app.status.registry import is_told, registered_rows
from gepa_framework.app.status.source import Source
from gepa_framework.types import JSONObject
from gepa_framework.workspace import Standing, expected_views, feeds, file_errors, is_same_view, last_seq


class Freshness(enum.StrEnum):
    """How a projection stands to its source."""

    FRESH = "fresh"
    STALE = "stale"
    MISSING = "missing"
    AHEAD = "ahead"


@attrs.frozen
class Projection:
    """One thing that is derived.

    Attributes:
        projection_name: The table, view or file.
        kind: ``table``, ``view`` or ``file``.
        source: What it is derived from.
        source_count: How much there is of that.
        projected_count: How much of that is in it.
        status: Whether that is all of it.
        details: What else there is to say.
    """

    projection_name: str
    kind: str
    source: str
    source_count: int
    projected_count: int
    status: Freshness
    details: str = ""

    @property
    def lag_count(self) -> int:
        """How much of the source is not in it yet."""
        return max(0, self.source_count - self.projected_count)

    def to_dict(self) -> JSONObject:
        """Give it as JSON."""
        return {**attrs.asdict(self), "status": self.status.value, "lag_count": self.lag_count}


def projections(source: Source, standing: Standing, state: str, *, thorough: bool) -> tuple[Projection, ...]:
    """Give every projection of a run.

    Args:
        source: Where its journal is.
        standing: Where it stands.
        state: Its state.
        thorough: Hold the contents of exported files against the digests in the manifest, rather than sizes.

    Raises:
        WorkspaceError: A file cannot be read.
    """
    found: list[Projection] = []
    if source.database is not None:
        found = [_checkpoints(standing), *_views(standing)]
    with file_errors(source.run_dir):
        found += _feeds(source.run_dir, standing.events)
        found += _exports(source.run_dir, standing.events, thorough=thorough)
        found.append(_registry(source.run_dir, state))
    return tuple(found)


def _checkpoints(standing: Standing) -> Projection:
    position, _ = standing.checkpoint
    # The rows after the newest one are counted by whoever asks: to be behind them is what it is for.
    ahead = position > standing.inputs
    status = Freshness.AHEAD if ahead else Freshness.FRESH
    if standing.ending and position < standing.inputs:
        status = Freshness.STALE if standing.checkpoints else Freshness.MISSING
    return Projection("checkpoints", "table", "inputs", standing.inputs, position, status)


def _views(standing: Standing) -> Iterator[Projection]:
    for name, statement in expected_views().items():
        found = standing.views.get(name)
        source = "events" if "FROM events" in statement else "inputs"
        count = standing.events if source == "events" else standing.inputs
        if found is None:
            yield Projection(name, "view", source, count, 0, Freshness.MISSING, "it is not there")
        elif not is_same_view(found, statement):
            details = "it is defined otherwise than this program does"
            yield Projection(name, "view", source, count, count, Freshness.STALE, details)
        else:
            yield Projection(name, "view", source, count, count, Freshness.FRESH)


def _feeds(run_dir: Path, events: int) -> Iterator[Projection]:
    for path in feeds(run_dir):
        yield _file(path, "events", events, last_seq(path) if path.is_file() else None)


def _file(path: Path, source: str, wanted: int, found: int | None, details: str = "") -> Projection:
    if found is None:
        return Projection(path.name, "file", source, wanted, 0, Freshness.MISSING, details)
    status = Freshness.FRESH if found == wanted else Freshness.AHEAD if found > wanted else Freshness.STALE
    return Projection(path.name, "file", source, wanted, found, status, details)


_EXPORTS = (files.CANDIDATES, files.FRONTIER, files.BEST, files.CHART, files.CACHE_PROFILE)


def _exports(run_dir: Path, events: int, *, thorough: bool) -> Iterator[Projection]:
    told = read_manifest(run_dir)
    path = run_dir / files.MANIFEST
    written = None if told is None else _written(told)
    if path.is_file() and written is None:
        details = "it does not say after how many events it was written"
        yield Projection(files.MANIFEST, "file", "events", events, 0, Freshness.STALE, details)
    else:
        yield _file(path, "events", events, written)
    refs = _refs(told or {})
    for name in _EXPORTS:
        path = run_dir / name
        if not path.is_file():
            yield _file(path, "events", events, None)
        elif _is_as_written(path, refs.get(name), thorough=thorough):
            yield _file(path, "events", events, written or 0)
        else:
            details = f"it is not the file that {files.MANIFEST} tells of"
            yield Projection(name, "file", "events", events, 0, Freshness.STALE, details)


def read_manifest(run_dir: Path) -> Mapping[str, Any] | None:
    """Give the manifest of a run; ``None`` where there is none, or none that can be read."""
    return files.read_object(run_dir / files.MANIFEST)


def _written(manifest: Mapping[str, Any]) -> int | None:
    events = manifest.get("events")
    return events if type(events) is int and events >= 0 else None


def _refs(manifest: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    refs = manifest.get("artifact_refs")
    known: Sequence[Any] = refs if isinstance(refs, list) else ()
    return {Path(str(ref.get("path"))).name: ref for ref in known if isinstance(ref, dict)}


def _is_as_written(path: Path, ref: Mapping[str, Any] | None, *, thorough: bool) -> bool:
    if ref is None or path.stat().st_size != ref.get("bytes"):
        return False
    if not thorough:
        return True
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == ref.get("sha256")


def _registry(run_dir: Path, state: str) -> Projection:
    path = run_dir.parent / files.REGISTRY
    rows = registered_rows(run_dir)
    if not rows:
        return Projection(
            files.REGISTRY, "file", "state", 1, 0, Freshness.MISSING, "it has no row of this run"
        )
    status = str(rows[-1].get("status"))
    if is_told(status, state):
        return _file(path, "state", 1, 1)
    details = f"its last row of this run says {status}"
    return Projection(files.REGISTRY, "file", "state", 1, 0, Freshness.STALE, details)
