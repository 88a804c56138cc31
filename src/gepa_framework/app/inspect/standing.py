"""How a run stands: whether somebody works on it, and how it ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs

from gepa_framework.app import files
from gepa_framework.app.inspect.record import Record
from gepa_framework.types import JSONObject
from gepa_framework.workspace import holder_of

_ENDINGS = {
    "gepa.run.finished": "finished",
    "gepa.run.failed": "failed",
    "gepa.run.cancelled": "cancelled",
}
#: A directory with one of these is a run's.
MARKS = (files.WORKSPACE, files.STORE)


@attrs.frozen
class Standing:
    """How a run stands.

    Attributes:
        status: ``running``, ``interrupted``, ``finished``, ``failed``, ``cancelled``, or ``empty`` where
            nothing is on record and nobody works on it.
        holder: Who works on it at this moment; empty where nobody does.
        reason: Why it stopped, failed or was cancelled, in one sentence; empty where nothing says so.
        error_code: Of a run that failed.
    """

    status: str
    holder: str = ""
    reason: str = ""
    error_code: str = ""


def standing(record: Record) -> Standing:
    """Tell how a run stands; raises what `holder_of` raises."""
    last = (record.facts[-1].type, record.facts[-1].body) if record.facts else None
    stop = record.last("gepa.stop", "gepa.run.extended")
    reason = str(stop.body["message"]) if stop is not None and stop.type == "gepa.stop" else ""
    return standing_of(record.run_dir, last, reason, len(record.facts) + len(record.rollouts.seqs))


def standing_of(run_dir: Path, last: tuple[str, JSONObject] | None, reason: str, events: int) -> Standing:
    """Tell how a run stands; raises what `holder_of` raises.

    Args:
        run_dir: The run's directory.
        last: Type and fields of its last event, if there is one.
        reason: Why its search stopped; empty where it did not.
        events: Events on record.
    """
    holder = holder_of(run_dir)
    name, body = last or ("", {})
    if ended := _ENDINGS.get(name):
        told = str(body.get("message") or body.get("reason") or "") or reason
        return Standing(ended, holder, told, str(body.get("error_code") or ""))
    if holder:
        return Standing("running", holder, reason)
    return _failed(run_dir, events) or Standing("interrupted" if last else "empty", "", reason)


def _failed(run_dir: Path, events: int) -> Standing | None:
    """Tell of a run that failed in the world: the manifest alone does, unless the run went on after it."""
    try:
        told: Any = json.loads((run_dir / files.MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(told, dict) or (told.get("events"), told.get("status")) != (events, "failed"):
        return None
    failure = told.get("failure")
    known = failure if isinstance(failure, dict) else {}
    return Standing("failed", "", str(known.get("message", "")), str(known.get("error_code", "")))


def ending(record: Record) -> str | None:
    """Tell how a run ended; ``None`` while it is not over."""
    return _ENDINGS.get(record.facts[-1].type) if record.facts else None


def is_run(path: Path) -> bool:
    """Tell whether a path is the directory of a run, and no link to one."""
    return not path.is_symlink() and any((path / name).is_file() for name in MARKS)
