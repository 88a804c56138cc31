"""Complaints of OpenTelemetry: one for each attempt would flood a log, so they are taken down instead."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

#: Who complains while spans are sent.
EXPORTER: Final = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
#: Who complains of spans that a full queue cannot hold.
QUEUE: Final = "opentelemetry.sdk._shared_internal"


class Complaints(logging.Filter):
    """Keeps what one thread logs within a block from being shown, and remembers the last of it.

    What other threads log, for whom else in the process uses OpenTelemetry, is left alone.

    Args:
        name: Logger that is listened to.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._logger = logging.getLogger(name)
        self._thread: int | None = None
        self.last = ""

    def filter(self, record: logging.LogRecord) -> bool:
        """Take a record down; tell whether it is to be shown."""
        if threading.get_ident() != self._thread:
            return True
        self.last = record.getMessage()
        return False

    @contextmanager
    def taken_down(self) -> Iterator[None]:
        """Take down what is logged within the block."""
        self._thread, self.last = threading.get_ident(), ""
        self._logger.addFilter(self)
        try:
            yield
        finally:
            self._logger.removeFilter(self)
            self._thread = None
