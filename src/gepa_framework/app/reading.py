"""Reading a run by its directory, whatever store its journal is in."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from gepa_framework.app import files
from gepa_framework.app.stores import recorded_store
from gepa_framework.workspace import readable


def read_run(run_dir: Path) -> sqlite3.Connection:
    """Give a connection for reading alone that has every table and view of the run's workspace.

    Raises:
        WorkspaceError: There is no run, or its journal cannot be read.
        PluginError: Its store cannot be used.
    """
    if (run_dir / files.WORKSPACE).is_file():
        return readable(run_dir)
    store = recorded_store(run_dir, accept_changed_plugins=True)
    store.open(readonly=True)
    with closing(store):
        return readable(run_dir, store)
