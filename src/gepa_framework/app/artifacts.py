"""Artefacts: what is said in the workspace of the files that are made from it."""

from __future__ import annotations

import logging
from pathlib import Path

from gepa_framework.app import files
from gepa_framework.app.stores import recorded_store
from gepa_framework.errors import GepaError

_LOGGER = logging.getLogger(__name__)


def keep_artifacts(run_dir: Path) -> None:
    """Have the store of a run keep name, kind, SHA-256 and size of each file beside the journal.

    Left out are the journal itself, which would change by it, and the manifest, which is written after it and
    seals itself. Where it cannot be done a line is logged: the rows follow from the files.
    """
    try:
        _keep(run_dir)
    except GepaError as error:
        _LOGGER.warning("the workspace does not say what the files beside it are: %s", error)


def _keep(run_dir: Path) -> None:
    store = recorded_store(run_dir, accept_changed_plugins=True)
    if (keep := store.keep_artifacts) is None:
        return
    refs = [
        (Path(str(ref["path"])).name, ref["kind"], ref["sha256"], ref["bytes"])
        for ref in files.artifact_refs(run_dir)
        if ref["kind"] != "workspace"
    ]
    store.open()
    try:
        keep(refs)
    finally:
        store.close()
