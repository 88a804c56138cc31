"""The files of a run's directory, by name."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gepa_framework.types import JSONObject, JSONValue, compact_json
from gepa_framework.workspace import FAILPOINTS, file_errors, rename

WORKSPACE = "workspace.sqlite"
EVENTS = "events.jsonl"
NORMALISED = "events.normalized.jsonl"
MANIFEST = "result_manifest.json"
CACHE_PROFILE = "cache_profile.json"
CANDIDATES = "candidate_registry.json"
FRONTIER = "frontier.json"
BEST = "best_candidate.json"
CHART = "score_chart.svg"
LOCK = "plugins.lock.json"
CONTAINER_LOG = "container.log"
REGISTRY = "run_registry.jsonl"
STORE = "store.json"
CHECK = "workspace_check.json"
MARK = "journal.mark"

#: What the manifest lists, with its kind.
ARTIFACTS = (
    (WORKSPACE, "workspace"),
    (EVENTS, "event_feed"),
    (NORMALISED, "normalized_event_feed"),
    (CACHE_PROFILE, "cache_profile"),
    (CANDIDATES, "candidate_registry"),
    (FRONTIER, "frontier"),
    (BEST, "best_candidate"),
    (CHART, "score_chart"),
    (LOCK, "plugins_lock"),
    (STORE, "store"),
    (CONTAINER_LOG, "container_log"),
)


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all; it is on the disk when this returns."""
    draft = path.with_name(f".{path.name}.new")
    with file_errors(path):
        try:
            _write_through(draft, text)
            FAILPOINTS.passed("before_export")
            rename(draft, path)
        except OSError:
            with suppress(OSError):
                # Half a file is of no use, and takes the room of another.
                draft.unlink()
            raise
    FAILPOINTS.passed("after_export")


def _write_through(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        # A name that is on the disk before its content stands for half a file when the power goes.
        os.fsync(file.fileno())


def write_json(path: Path, value: JSONValue) -> None:
    """Write a value as JSON for people, whole or not at all."""
    write_text(path, json_text(value))


def json_text(value: JSONValue) -> str:
    """Give a value as JSON for people."""
    text = compact_json(value)
    # What `compact_json` had to escape must stay escaped.
    return json.dumps(json.loads(text), indent=2, ensure_ascii=text.isascii()) + "\n"


def read_object(path: Path) -> Mapping[str, Any] | None:
    """Give the JSON object of a file; ``None`` where there is none, or none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def append_line(path: Path, value: JSONValue) -> None:
    """Append one line of JSON in one write, so that lines of two processes do not mix."""
    FAILPOINTS.passed("before_append")
    with file_errors(path):
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            line = _ending(handle) + (compact_json(value) + "\n").encode()
            if os.write(handle, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(handle)
    FAILPOINTS.passed("after_append")


def _ending(handle: int) -> bytes:
    """Give what ends a line that a full disk cut short, lest another goes down with it."""
    size = os.fstat(handle).st_size
    return b"\n" if size and os.pread(handle, 1, size - 1) != b"\n" else b""


def stamped(row: JSONObject) -> JSONObject:
    """Give a row of the registry with the time in front."""
    return {"ts": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **row}


def artifact_refs(run_dir: Path) -> Iterable[JSONObject]:
    """Give kind, path, SHA-256 and size of every artefact that is there."""
    for name, kind in ARTIFACTS:
        path = run_dir / name
        if path.is_file():
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            yield {"kind": kind, "path": str(path), "sha256": sha256, "bytes": path.stat().st_size}
