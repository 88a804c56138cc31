"""Holding the files that say what a run was begun with against what the journal says of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from gepa_framework.app import files
from gepa_framework.app.history import History
from gepa_framework.app.stores import store_record
from gepa_framework.errors import WorkspaceError
from gepa_framework.types import Kind
from gepa_framework.workspace import file_errors


def hold_records(history: History, *, over: bool) -> tuple[str, ...]:
    """Hold the lock of the plugins and the record of the store against the journal; give their names.

    Args:
        history: The run.
        over: Whether the run has ended, so that its lock must be there.

    Raises:
        WorkspaceError: One of them is missing, or is not what the journal gives.
    """
    held = tuple(_held(history))
    if over and files.LOCK not in held:
        raise _refused(history, files.LOCK, "is missing")
    return held


def _held(history: History) -> Iterator[str]:
    lock = json.loads(history.record.meta["plugins_lock"])
    for name, expected in ((files.LOCK, lock), (files.STORE, _store(history, lock))):
        path = history.run_dir / name
        if expected is None or not path.is_file():
            continue
        with file_errors(path):
            found = path.read_bytes()
        if not _is(expected, found):
            raise _refused(history, name, "is not what the journal gives")
        yield name


def _is(expected: Mapping[str, Any], found: bytes) -> bool:
    """Tell whether a file says just this, laid out as we do; the order of the keys is not on record."""
    try:
        value = json.loads(found)
    except ValueError:
        return False
    return bool(value == expected) and files.json_text(value).encode() == found


def _store(history: History, lock: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give what is said of the store; nothing of a run from before stores could be chosen."""
    plugins = [entry for entry in lock["plugins"] if entry["kind"] == Kind.STORE]
    return {**store_record(history.stages[0]), "plugin": plugins[0]} if plugins else None


def _refused(history: History, name: str, message: str) -> WorkspaceError:
    resume = f"gepa resume {history.run_dir} writes it again"
    hint = resume if name == files.LOCK else "restore it from a backup"
    return WorkspaceError(f"{history.run_dir / name}: {message}", hint=hint)
