"""A collector without a backend: takes OTLP over HTTP as a real one does, and keeps what it decodes."""

from __future__ import annotations

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import attrs
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

KINDS = {Span.SPAN_KIND_INTERNAL: "internal", Span.SPAN_KIND_CLIENT: "client"}
STATUSES = {Status.STATUS_CODE_UNSET: "unset", Status.STATUS_CODE_OK: "ok", Status.STATUS_CODE_ERROR: "error"}


def plain(value):
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(each) for each in value.array_value.values]
    return getattr(value, kind)


def attributes_of(pairs):
    return {pair.key: plain(pair.value) for pair in pairs}


@attrs.frozen
class Received:
    """A span as it came over the wire."""

    trace: str
    id: str
    parent: str
    name: str
    kind: str
    began: int
    ended: int
    status: str
    error: str
    attributes: dict
    events: list
    resource: dict


class FakeCollector:
    """Listens on loopback. ``status`` is what it answers; nothing at all where it is ``None``."""

    def __init__(self):
        self.spans = []
        self.headers = []
        self.status = 200
        self.asked = threading.Event()
        self.over = threading.Event()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fake.asked.set()
                if fake.status is None:
                    fake.over.wait(20)
                    return
                if fake.status == 200:
                    fake.take(self.path, dict(self.headers), body)
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(fake.status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def take(self, path, headers, body):
        assert path == "/v1/traces"
        headers = {name.lower(): value for name, value in headers.items()}
        assert headers["content-type"] == "application/x-protobuf"
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.headers.append(headers)
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = attributes_of(group.resource.attributes)
            for scope in group.scope_spans:
                self.spans.extend(self.received(span, resource) for span in scope.spans)

    def received(self, span, resource):
        return Received(
            span.trace_id.hex(),
            span.span_id.hex(),
            span.parent_span_id.hex(),
            span.name,
            KINDS[span.kind],
            span.start_time_unix_nano,
            span.end_time_unix_nano,
            STATUSES[span.status.code],
            span.status.message,
            attributes_of(span.attributes),
            [(event.name, event.time_unix_nano, attributes_of(event.attributes)) for event in span.events],
            resource,
        )

    def effects(self):
        return [span for span in self.spans if "gepa.effect.id" in span.attributes]

    def named(self, name):
        return [span for span in self.spans if span.name == name]

    def stop(self):
        self.over.set()
        self.server.shutdown()
        self.thread.join(10)
        self.server.server_close()
