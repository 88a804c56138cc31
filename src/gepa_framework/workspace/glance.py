"""A glance at a journal: what it tells without being replayed. Nothing is written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from gepa_framework.engine import Extend
from gepa_framework.errors import WorkspaceError
from gepa_framework.workspace.checkpoints import ENDINGS
from gepa_framework.workspace.codec import decode_extension
from gepa_framework.workspace.journal import Journal


@attrs.frozen
class Glance:
    """What a journal tells at first sight.

    Attributes:
        location: Where the journal is, for people.
        meta: What was recorded when the run began.
        extensions: How its limits were raised since, oldest first.
        events: Events on record.
        ending: Type of the event that ended the run; empty while it is not over.
        ending_body: The fields of that event.
    """

    location: str
    meta: Mapping[str, str] = attrs.field(repr=False)
    extensions: tuple[Extend, ...]
    events: int
    ending: str
    ending_body: Mapping[str, Any] = attrs.field(repr=False)


def glance(journal: Journal) -> Glance:
    """Look at a journal.

    Raises:
        WorkspaceError: It cannot be read, or what was said of the run was changed.
    """
    journal.check_meta()
    meta = journal.meta()
    if "config_text" not in meta:
        raise WorkspaceError(
            f"{journal.location} is not the workspace of a run", hint="name the directory of a run"
        )
    ending, body = journal.last_event()
    if ending not in ENDINGS:
        ending, body = "", "{}"
    return Glance(
        journal.location, meta, tuple(_extensions(journal)), journal.events, ending, json.loads(body)
    )


def measured_candidates(journal: Journal) -> int:
    """Give the number of candidates whose heldout rows were asked for.

    Raises:
        WorkspaceError: The journal cannot be read.
    """
    bodies = (line.body for line in journal.lines() if line.type == "heldout.started")
    return sum(len(json.loads(body)["candidates"]) for body in bodies)


def _extensions(journal: Journal) -> Iterator[Extend]:
    for position, payload in journal.extensions():
        try:
            yield decode_extension(payload)
        except (ValueError, TypeError, KeyError) as error:
            raise WorkspaceError(
                f"{journal.location}: input {position} is not what was written: {error}"
            ) from error
