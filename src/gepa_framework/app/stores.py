"""Where a run's journal is kept: chosen when the run begins, and found again by what its directory says."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs

from gepa_framework.app import files
from gepa_framework.app.building import build_store, store_options
from gepa_framework.app.guards import GuardedStore
from gepa_framework.app.prepare import Prepared
from gepa_framework.config import read_options
from gepa_framework.errors import ConfigError, GepaError, PluginError, PluginLockError, WorkspaceError
from gepa_framework.net.redact import Redactor, secrets_of
from gepa_framework.plugins import Plugins
from gepa_framework.types import BuildContext, JSONObject, Kind, Store
from gepa_framework.workspace import Journal, file_errors

_SCHEMA = 1
_BACKUP = "restore it from a backup"


@attrs.frozen
class StoreRecord:
    """What a run's directory says of its store, in ``store.json``.

    Attributes:
        name: The plugin, as ``dist:name``.
        config: Its configuration, free of secrets.
        run_id: The run's name.
        base_dir: What relative paths in the configuration are relative to.
        plugin: Its entry of the lock; ``None`` for a run from before stores could be chosen.
    """

    name: str
    config: JSONObject
    run_id: str
    base_dir: Path
    plugin: JSONObject | None

    def fields(self) -> dict[str, Any]:
        """Give the content of the file."""
        return {
            "schema": _SCHEMA,
            "store": self.name,
            "config": self.config,
            "run_id": self.run_id,
            "base_dir": str(self.base_dir),
            "plugin": self.plugin,
        }


def new_store(prepared: Prepared) -> Store:
    """Build the store that the configuration selects, for a run that is not there yet.

    Raises:
        WorkspaceError: There is a run of that name already.
        ConfigError: The store's configuration cannot be written down, such as for a secret in it.
        PluginError: It does not build.
    """
    store = build_store(prepared)
    _refuse_taken(prepared, store)
    return store


def begin_journal(prepared: Prepared, store: Store, meta: Mapping[str, str]) -> Journal:
    """Say in the run's directory where its journal is, and begin it; raises what `new_store` raises."""
    _refuse_taken(prepared, store)
    path = prepared.run_dir / files.STORE
    files.write_json(path, _record(prepared).fields())
    try:
        return Journal.create(store, meta)
    except BaseException:
        with suppress(GepaError, OSError):
            if not store.exists():
                # Nothing is kept there, and another store may be chosen.
                path.unlink(missing_ok=True)
        raise


def resume_journal(prepared: Prepared) -> Journal:
    """Open the journal of the run for going on with it.

    Raises:
        WorkspaceError: There is none, or it cannot be read.
        PluginError: The store cannot be used.
    """
    store = recorded_store(prepared.run_dir, accept_changed_plugins=True)
    path = prepared.run_dir / files.STORE
    if not path.exists():
        files.write_json(path, _record(prepared).fields())
    return Journal.open(store)


def recorded_store(run_dir: Path, *, accept_changed_plugins: bool = False) -> GuardedStore:
    """Build the store that the directory of a run names; ``workspace.sqlite`` where it names none.

    Raises:
        WorkspaceError: What the directory says cannot be read.
        PluginLockError: The store is not the one that the run was started with.
        PluginError: The store cannot be used.
    """
    record = _read_record(run_dir) or StoreRecord("gepa-framework:sqlite", {}, "", run_dir, None)
    plugins = Plugins.discover()
    try:
        options = _options(plugins, record)
        if record.plugin is not None and not accept_changed_plugins:
            now = plugins.lock([(Kind.STORE, record.name, options)])
            plugins.compare_lock({**now, "plugins": [record.plugin]}, now)
        context = _context(run_dir, record)
        made = plugins.make_store(record.name, options, context)
    except PluginError as error:
        told = f"the journal of {run_dir} is in the store '{record.name}': {error.message}"
        raise type(error)(told, hint=error.hint) from error
    owner = plugins.load(Kind.STORE, record.name).found.owner
    return GuardedStore(owner, made, context.redact)


def is_begun(run_dir: Path) -> bool:
    """Tell whether a run is on record in a directory; raises what `recorded_store` raises."""
    if not any((run_dir / name).exists() for name in (files.STORE, files.WORKSPACE)):
        return False
    return recorded_store(run_dir, accept_changed_plugins=True).exists()


def read_journal(run_dir: Path, *, accept_changed_plugins: bool = True) -> Journal:
    """Look at the journal of a run as it is at this moment, though the run goes on; nothing is written.

    Raises:
        WorkspaceError: There is none, or its store cannot be opened for reading alone.
        PluginLockError: The store is not the one that the run was started with.
        PluginError: The store cannot be used.
    """
    store = recorded_store(run_dir, accept_changed_plugins=accept_changed_plugins)
    return Journal.open(store, readonly=True)


def _refuse_taken(prepared: Prepared, store: Store) -> None:
    run_dir = prepared.run_dir
    recorded = _read_record(run_dir)
    elsewhere = recorded is not None and recorded != _record(prepared)
    if elsewhere or (run_dir / files.WORKSPACE).exists() or store.exists():
        raise WorkspaceError(
            f"there is a run in {run_dir} already",
            hint=f"resume it (gepa resume {run_dir}), or choose another run.run_id",
        )


def store_record(prepared: Prepared) -> dict[str, Any]:
    """Give what the directory of a run says of its store; raises what `new_store` raises."""
    return _record(prepared).fields()


def _record(prepared: Prepared) -> StoreRecord:
    choice = prepared.config.store
    found = prepared.plugins.load(choice.kind, choice.name).found
    (plugin,) = _plugins_of(prepared.plugins.lock([(choice.kind, choice.name, choice.options)]))
    config = store_options(prepared)
    return StoreRecord(found.qualified, config, prepared.run_id, prepared.loaded.base_dir, plugin)


def _plugins_of(lock: JSONObject) -> Sequence[JSONObject]:
    plugins: Any = lock["plugins"]
    return tuple(plugins)


def _read_record(run_dir: Path) -> StoreRecord | None:
    path = run_dir / files.STORE
    with file_errors(path):
        try:
            text = path.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except UnicodeDecodeError as error:
            raise WorkspaceError(f"{path} is no text: {error}", hint=_BACKUP) from error
    return _parsed(path, text)


def _parsed(path: Path, text: str) -> StoreRecord:
    try:
        found: Any = json.loads(text)
    except ValueError as error:
        raise WorkspaceError(f"{path} is no JSON: {error}", hint=_BACKUP) from error
    if isinstance(found, dict) and isinstance(found.get("schema"), int) and found["schema"] > _SCHEMA:
        raise WorkspaceError(f"{path} has schema {found['schema']}", hint="upgrade gepa-framework")
    wanted = {"store": str, "config": dict, "run_id": str, "base_dir": str, "plugin": dict}
    if not isinstance(found, dict) or not all(
        isinstance(found.get(key), kind) for key, kind in wanted.items()
    ):
        raise WorkspaceError(f"{path} does not say where the run's journal is", hint=_BACKUP)
    base_dir = Path(found["base_dir"])
    return StoreRecord(found["store"], found["config"], found["run_id"], base_dir, found["plugin"])


def _options(plugins: Plugins, record: StoreRecord) -> object:
    cls = plugins.config_class(Kind.STORE, record.name)
    try:
        return read_options(cls, record.config)
    except ConfigError as error:
        raise PluginLockError(
            f"it takes no such configuration as the run was started with: {error.message}",
            hint="restore the version of the plugin that the run was started with",
        ) from error


def _context(run_dir: Path, record: StoreRecord) -> BuildContext:
    environ = dict(os.environ)
    return BuildContext(
        run_id=record.run_id,
        run_dir=run_dir,
        base_dir=record.base_dir,
        environ=environ,
        logger=logging.getLogger(f"gepa_framework.plugin.{record.name}"),
        redact=Redactor(secrets_of(environ)),
    )
