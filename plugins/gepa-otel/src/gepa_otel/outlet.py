"""Where spans go: a provider of the listener's own, a bounded queue, and OTLP behind it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from gepa_otel.courier import Courier
from gepa_otel.ids import Ids, span_id, trace_id
from gepa_otel.quiet import QUEUE, Complaints
from gepa_otel.spans import Address, Span

_BATCH: Final = 512
_DELAY_MILLIS: Final = 1000
#: What has been told to stop gets so long to do so.
_FAREWELL_SECONDS: Final = 0.5


class Outlet:
    """Sends the spans of one run; never waits for the collector until it is closed.

    Args:
        run_id: The run, of which ids are made.
        address: The collector.
        service: What ``service.name`` says.
        queue_size: Spans that may wait.
        close_seconds: How long closing waits for the last of them.
        warn: Takes a sentence for whoever runs this.
    """

    def __init__(
        self,
        run_id: str,
        address: Address,
        *,
        service: str,
        queue_size: int,
        close_seconds: float,
        warn: Callable[[str], None],
    ) -> None:
        self._run_id = run_id
        self._shown = address.shown
        self._close_seconds = close_seconds
        self._warn = warn
        self._made = 0
        self._queue_size = queue_size
        self._complaints = Complaints(QUEUE)
        exporter = OTLPSpanExporter(
            endpoint=address.url, headers=dict(address.headers), timeout=address.timeout_seconds
        )
        self._courier = Courier(exporter, warn, self._shown)
        self._queue = BatchSpanProcessor(
            self._courier,
            max_queue_size=queue_size,
            schedule_delay_millis=_DELAY_MILLIS,
            max_export_batch_size=min(_BATCH, queue_size),
        )
        self._ids = Ids(run_id)
        provider = TracerProvider(
            # Which runs are traced was decided before; all of one is, or nothing.
            sampler=ALWAYS_ON,
            resource=Resource.create({"service.name": service}),
            shutdown_on_exit=False,
            id_generator=self._ids,
        )
        provider.add_span_processor(self._queue)
        self._tracer = provider.get_tracer("gepa_otel")

    def send(self, span: Span) -> None:
        """Put a span into the queue."""
        self._ids.name = span.name
        made = self._tracer.start_span(
            span.title,
            context=self._within(span.parent),
            kind=SpanKind.CLIENT if span.outside else SpanKind.INTERNAL,
            attributes=span.attributes,
            start_time=span.began_ns,
        )
        for note in span.notes:
            made.add_event(note.name, note.attributes, note.at_ns)
        if span.error:
            made.set_status(Status(StatusCode.ERROR, span.error))
        full = self._made - self._courier.handed >= self._queue_size
        self._made += made.is_recording()
        # What is lost is told in the end, all of it at once.
        with self._complaints.taken_down() if full else nullcontext():
            made.end(max(span.began_ns, span.ended_ns))

    def _within(self, parent: str | None) -> Context:
        # An empty one: what else in the process is traced is no part of the run.
        context = Context()
        if parent is None:
            return context
        above = SpanContext(
            trace_id(self._run_id),
            span_id(self._run_id, parent),
            is_remote=False,
            trace_flags=TraceFlags(TraceFlags.SAMPLED),
        )
        return trace.set_span_in_context(NonRecordingSpan(above), context)

    def close(self) -> None:
        """Send what waits, within ``close_seconds``; what is not sent by then is lost, and told."""
        closer = threading.Thread(target=self._queue.shutdown, name="gepa-otel-close", daemon=True)
        closer.start()
        _wait_for(closer, self._close_seconds)
        if closer.is_alive():
            self._courier.shutdown()
            _wait_for(closer, _FAREWELL_SECONDS)
        if lost := self._made - self._courier.delivered:
            self._warn(f"{lost} of {self._made} spans have not reached the collector {self._shown}")


def _wait_for(thread: threading.Thread, seconds: float) -> None:
    # The run is over, and its results are still to be written: Ctrl-C is to end this wait only.
    with suppress(KeyboardInterrupt):
        thread.join(seconds)
