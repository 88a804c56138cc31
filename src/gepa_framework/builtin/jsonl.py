"""Listener ``jsonl``: writes each event as one line of JSON."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TextIO

import attrs

from gepa_framework.builtin.fields import file_path
from gepa_framework.errors import WorkspaceError
from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import BuildContext, Capability, Event, Kind, PluginInfo, compact_json, event_fields

DEFAULT_NAME = "listener.events.jsonl"


@attrs.frozen
class JsonlConfig:
    """Keys of a ``[[listeners]]`` entry with ``use = "jsonl"``."""

    path: str | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(attrs.validators.min_len(1)),
        metadata={
            "help": "File that events are appended to, relative to the configuration file; "
            f"by default {DEFAULT_NAME} in the run's directory."
        },
    )


class JsonlListener:
    """Appends to a file, a line and a flush for each event."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None
        self._closed = False

    def on_event(self, event: Event) -> None:
        """Append one event.

        Raises:
            WorkspaceError: The file cannot be written, or the listener is closed.
        """
        if self._closed:
            raise WorkspaceError(f"the listener of {self._path} is closed")
        line = compact_json(event_fields(event))
        try:
            if self._file is None:
                self._file = _appending(self._path)
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            raise WorkspaceError(f"{self._path} cannot be written: {error}") from error

    def close(self) -> None:
        """Close the file."""
        self._closed = True
        if self._file is not None:
            self._file.close()


def _appending(path: Path) -> TextIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    torn = _ends_within_a_line(path)
    file = path.open("a", encoding="utf-8", newline="\n")
    if torn:
        file.write("\n")
    return file


def _ends_within_a_line(path: Path) -> bool:
    """Tell whether a process died while it wrote the last line."""
    if not path.exists() or path.stat().st_size == 0:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


plugin_info = PluginInfo(
    kind=Kind.LISTENER,
    name="jsonl",
    api=">=1.0,<2",
    config=JsonlConfig,
    capabilities=frozenset({Capability.PERSISTENT}),
    summary="Writes every event to a file, one JSON object a line.",
)


@hookimpl
def gepa_make_listener(config: JsonlConfig, context: BuildContext) -> JsonlListener:
    """Build the listener."""
    return JsonlListener(file_path(config.path, context, DEFAULT_NAME))
