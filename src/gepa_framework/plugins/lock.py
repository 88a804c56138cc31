"""``plugins.lock.json``: which plugins a run was started with."""

from __future__ import annotations

import contextlib
import enum
import json
import math
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from itertools import zip_longest
from pathlib import Path, PurePath

import attrs

from gepa_framework.errors import PluginBrokenError, PluginLockError
from gepa_framework.plugins.loader import LoadedPlugin
from gepa_framework.types import JSONObject, JSONValue, Kind, canonical_json, digest

SCHEMA = 1
_FIELDS = ("distribution", "version", "api", "config_sha256")


def lock_content(choices: Iterable[tuple[LoadedPlugin, object]]) -> JSONObject:
    """Give the lock of plugins and their configurations, in the order given.

    Raises:
        PluginBrokenError: A configuration holds something that has no JSON form.
    """
    return {"schema": SCHEMA, "plugins": [_entry(loaded, config) for loaded, config in choices]}


def write_lock(path: Path, lock: JSONObject) -> None:
    """Write the file whole or not at all.

    Raises:
        PluginLockError: It cannot be written.
    """
    try:
        _replace(path, json.dumps(lock, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise PluginLockError(f"{path} cannot be written: {error}") from error


def read_lock(path: Path) -> JSONObject:
    """Read a lock file.

    Raises:
        PluginLockError: It is absent, or not a lock file of this version.
    """
    try:
        lock = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PluginLockError(f"{path} cannot be read: {error}") from error
    _entries(lock, str(path))
    return {str(key): value for key, value in lock.items()}


def compare_lock(recorded: JSONObject, current: JSONObject) -> None:
    """Hold the plugins of now against those that the run was started with.

    Raises:
        PluginLockError: They differ; names the first difference.
    """
    before = _entries(recorded, "the recorded lock")
    now = _entries(current, "the current lock")
    if not any(entry.get("kind") == Kind.STORE for entry in before):
        # A run from before stores could be chosen.
        now = [entry for entry in now if entry.get("kind") != Kind.STORE]
    for old, new in zip_longest(before, now):
        _compare_one(old, new)


def _entry(loaded: LoadedPlugin, config: object) -> JSONObject:
    found = loaded.found
    try:
        config_digest = digest(plain(config))
    except TypeError as error:
        raise PluginBrokenError(
            f"{found.owner} has a configuration that cannot be recorded: {error}"
        ) from error
    return {
        "kind": found.kind.value,
        "name": found.name,
        "distribution": found.dist,
        "version": found.version,
        "api": loaded.info.api,
        "config_sha256": config_digest,
    }


def plain(value: object) -> JSONValue:
    """Give the JSON form of a configuration, the same in every process.

    Raises:
        TypeError: It holds something that has none.
    """
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, PurePath | date | time):
        return str(value)
    return _plain_container(value)


def _plain_container(value: object) -> JSONValue:
    kind = type(value)
    if attrs.has(kind):
        return {field.name: plain(getattr(value, field.name)) for field in attrs.fields(kind)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=canonical_json)
    raise TypeError(f"no JSON form for a value of type {kind.__name__}")


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def _entries(lock: object, where: str) -> Sequence[Mapping[str, object]]:
    plugins = lock.get("plugins") if isinstance(lock, Mapping) and lock.get("schema") == SCHEMA else None
    if not isinstance(plugins, list | tuple) or not all(isinstance(entry, Mapping) for entry in plugins):
        raise PluginLockError(f"{where} is not a lock of schema {SCHEMA}", hint="start a new run")
    return plugins


def _compare_one(old: Mapping[str, object] | None, new: Mapping[str, object] | None) -> None:
    if old is None or new is None or any(old.get(key) != new.get(key) for key in ("kind", "name")):
        raise _changed(f"the run was started with {_label(old)}, where there is now {_label(new)}")
    for field in _FIELDS:
        if old.get(field) != new.get(field):
            what = field.replace("_sha256", " digest")
            raise _changed(f"the {what} of {_label(old)} was {old.get(field)} and is now {new.get(field)}")


def _changed(message: str) -> PluginLockError:
    return PluginLockError(
        message,
        hint="restore what the run was started with, or accept the change with --accept-changed-plugins",
    )


def _label(entry: Mapping[str, object] | None) -> str:
    return "no plugin" if entry is None else f"the {entry.get('kind')} '{entry.get('name')}'"
