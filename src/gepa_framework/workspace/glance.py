"""A glance at a journal: what it tells without being replayed. Nothing is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs

from gepa_framework.engine import Extend
from gepa_framework.errors import WorkspaceError
from gepa_framework.workspace.codec import decode_extension
from gepa_framework.workspace.database import read_database, storage_errors
from gepa_framework.workspace.journal import Journal

_EXTENSIONS = "SELECT position, payload FROM inputs WHERE kind = 'extend' ORDER BY position"
#: What ends a run, and what lets it go on.
_LAST = """
    SELECT type, body FROM events
    WHERE type IN ('gepa.run.finished', 'gepa.run.failed', 'gepa.run.cancelled', 'gepa.run.extended')
    ORDER BY seq DESC LIMIT 1"""
_HELDOUT = "SELECT body FROM events WHERE type = 'heldout.started'"


@attrs.frozen
class Glance:
    """What a journal tells at first sight.

    Attributes:
        meta: What was recorded when the run began.
        extensions: How its limits were raised since, oldest first.
        events: Events on record.
        ending: Type of the event that ended the run; empty while it is not over.
        ending_body: The fields of that event.
    """

    meta: Mapping[str, str] = attrs.field(repr=False)
    extensions: tuple[Extend, ...]
    events: int
    ending: str
    ending_body: Mapping[str, Any] = attrs.field(repr=False)


def glance(path: Path) -> Glance:
    """Look at a journal.

    Raises:
        WorkspaceError: There is none, it cannot be read, or what was said of the run was changed.
    """
    with closing(Journal.read(path)) as journal:
        journal.check_meta()
        meta = journal.meta()
        if "config_text" not in meta:
            raise WorkspaceError(f"{path} is not the workspace of a run", hint="name the directory of a run")
        ending, body = _ending(journal)
        return Glance(meta, tuple(_extensions(journal)), journal.events, ending, body)


def measured_candidates(path: Path) -> int:
    """Give the number of candidates whose heldout rows were asked for.

    Raises:
        WorkspaceError: The journal cannot be read.
    """
    with storage_errors(path), closing(read_database(path)) as database:
        bodies = database.execute(_HELDOUT).fetchall()
        return sum(len(json.loads(body)["candidates"]) for (body,) in bodies)


def _ending(journal: Journal) -> tuple[str, Mapping[str, Any]]:
    last = next(journal.query(_LAST), None)
    if last is None or last[0] == "gepa.run.extended":
        return "", {}
    return last[0], json.loads(last[1])


def _extensions(journal: Journal) -> list[Extend]:
    found = []
    for position, payload in list(journal.query(_EXTENSIONS)):
        try:
            found.append(decode_extension(payload))
        except (ValueError, TypeError, KeyError) as error:
            raise WorkspaceError(
                f"{journal.path}: input {position} is not what was written: {error}"
            ) from error
    return found
