"""The files beside a run: where to scrape it, and its metrics for who does not scrape."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from prometheus_client import CollectorRegistry, write_to_textfile

from gepa_framework.errors import PluginError

_LOGGER = logging.getLogger(__name__)
_WRITING_SECONDS = 5.0
_CLOSING_SECONDS = 2.0


class TargetFile:
    """Tells file-based service discovery where the run is scraped; gone once the run has left in good order.

    Args:
        path: Where it is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, target: str, labels: Mapping[str, str]) -> None:
        """Write it, or replace the one of a process that was killed.

        Raises:
            PluginError: It cannot be written.
        """
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        text = json.dumps([{"targets": [target], "labels": dict(labels)}], indent=2) + "\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(text, encoding="utf-8")
            draft.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                draft.unlink()
            raise _unwritable(self._path, error) from error

    def close(self) -> None:
        """Remove it."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            _LOGGER.warning("%s cannot be removed, and names a run that is over: %s", self._path, error)


class TextFile:
    """Replaces a text file with the present metrics, every few seconds and a last time at the end.

    Args:
        path: Where it is; its name ends in ``.prom``.
        registry: What is written.
    """

    def __init__(self, path: Path, registry: CollectorRegistry) -> None:
        self._path = path
        self._registry = registry
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write_on, name="gepa-prometheus-textfile", daemon=True)
        self._failed = False

    def start(self) -> None:
        """Write it for the first time.

        Raises:
            PluginError: It cannot be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_to_textfile(str(self._path), self._registry)
        except OSError as error:
            raise _unwritable(self._path, error) from error
        self._thread.start()

    def close(self) -> None:
        """Write it for the last time; it stays."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(_CLOSING_SECONDS)
            self._write()

    def _write_on(self) -> None:
        while not self._closing.wait(_WRITING_SECONDS):
            self._write()

    def _write(self) -> None:
        try:
            write_to_textfile(str(self._path), self._registry)
        except OSError as error:
            if not self._failed:
                _LOGGER.warning("%s cannot be written any more: %s", self._path, error)
            self._failed = True


def _unwritable(path: Path, error: OSError) -> PluginError:
    return PluginError(
        f"{path} cannot be written: {error.strerror or error}",
        hint="allow it, or give the listener another directory",
    )
