"""A receiver of traces (OTLP over HTTP) on this machine; it takes every other POST too, as a webhook's end does."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class SeenSpan(NamedTuple):
    """Ids as hex; `links` are the trace ids of what it is linked to."""

    service: str
    name: str
    trace: str
    parent: str
    links: list[str]
    attributes: dict[str, str | int]
    failed: bool


class Collector:
    def __init__(self, url: str) -> None:
        self.url = url
        self.bodies: list[bytes] = []

    def spans(self) -> list[SeenSpan]:
        return [span for body in list(self.bodies) for span in _spans(body)]


def _spans(body: bytes) -> Iterator[SeenSpan]:
    for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        (service,) = (one.value.string_value for one in of_resource.resource.attributes if one.key == "service.name")
        for span in (span for scope in of_resource.scope_spans for span in scope.spans):
            yield SeenSpan(
                service,
                span.name,
                span.trace_id.hex(),
                span.parent_span_id.hex(),
                [link.trace_id.hex() for link in span.links],
                {one.key: one.value.string_value or one.value.int_value for one in span.attributes},
                span.status.code == 2,
            )


@contextmanager
def collecting() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path == "/v1/traces":
                collector.bodies.append(body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
