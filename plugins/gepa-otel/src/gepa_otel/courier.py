"""The exporter between queue and collector: counts what arrives, and says seldom that nothing does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from gepa_otel.quiet import EXPORTER, Complaints

#: A collector that comes and goes is told of so often at most.
_QUIET_SECONDS: Final = 60.0


class Courier(SpanExporter):
    """Hands batches on to the exporter that speaks OTLP; called in the thread of the queue.

    Args:
        exporter: Speaks OTLP.
        warn: Takes a sentence for whoever runs this.
        shown: The collector, as messages have it.

    Attributes:
        handed: Spans that have left the queue.
        delivered: Those of them that the collector took.
    """

    def __init__(self, exporter: SpanExporter, warn: Callable[[str], None], shown: str) -> None:
        self._exporter = exporter
        self._warn = warn
        self._shown = shown
        self._complaints = Complaints(EXPORTER)
        self._told_at: float | None = None
        self._closing = threading.Lock()
        self._closed = False
        self.handed = 0
        self.delivered = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch; what goes wrong costs that batch and nothing else."""
        self.handed += len(spans)
        if self._closed:
            return SpanExportResult.FAILURE
        with self._complaints.taken_down():
            try:
                result, reason = self._exporter.export(spans), ""
            except Exception as error:  # noqa: BLE001 - the run must not hear of it
                result, reason = SpanExportResult.FAILURE, f"{type(error).__name__}: {error}"
            reason = reason or self._complaints.last
        if result is SpanExportResult.SUCCESS:
            self.delivered += len(spans)
        elif not self._closed:
            self._tell(reason)
        return result

    def _tell(self, reason: str) -> None:
        now = time.monotonic()
        if self._told_at is None or now - self._told_at >= _QUIET_SECONDS:
            self._told_at = now
            self._warn(f"the collector {self._shown} takes no spans: {reason}; the run goes on")

    def shutdown(self) -> None:
        """Send nothing more, and wait for no further attempt."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        self._exporter.shutdown()
