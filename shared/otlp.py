"""Traces through OpenTelemetry to an OTLP/HTTP endpoint. Only `telemetry` imports this, when one is configured.

What the endpoint does not take is dropped after a while: no service waits for it. How much is sampled, sent at once and
kept meanwhile is set by OpenTelemetry's own environment variables.
"""

import asyncio
import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, get_current_span
from opentelemetry.trace import Span as OtelSpan
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.tracing import Attributes, Kind, Span

CLOSE_SECONDS = 2.0
_PATH = "/v1/traces"
_KINDS = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "consumer": SpanKind.CONSUMER,
}
_FIELD = "traceparent"


class OtlpTracing:
    """Of one service: each has a provider of its own, and nothing is set globally."""

    on = True

    def __init__(self, service: str, endpoint: str) -> None:
        name = os.environ.get("OTEL_SERVICE_NAME") or f"petla-{service}"
        resource = Resource.create({"service.name": name, "service.namespace": "petla"})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + _PATH)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("petla")
        self._propagator = TraceContextTextMapPropagator()

    def start(
        self,
        name: str,
        kind: Kind = "internal",
        *,
        caused_by: str | None = None,
        links: Sequence[str | None] = (),
        began: int | None = None,
    ) -> Span:
        at = time.time_ns() if began is None else began
        linked = [Link(context) for one in links if (context := self._context_of(one)).is_valid]
        span = self._tracer.start_span(name, self._read(caused_by), _KINDS[kind], links=linked, start_time=at)
        return _Recorded(span, self._written(span), at)

    async def close(self) -> None:
        """In a thread that nobody waits for longer: the endpoint may hang."""
        loop, closed = asyncio.get_running_loop(), asyncio.Event()

        def shut_down() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # the process did not wait
                loop.call_soon_threadsafe(closed.set)

        threading.Thread(target=shut_down, name="traces-close", daemon=True).start()
        with suppress(TimeoutError):
            await asyncio.wait_for(closed.wait(), CLOSE_SECONDS)

    def _read(self, traceparent: str | None) -> Context:
        """An empty one for what is no `traceparent`."""
        return self._propagator.extract({_FIELD: traceparent} if traceparent else {}, Context())

    def _context_of(self, traceparent: str | None) -> SpanContext:
        return get_current_span(self._read(traceparent)).get_span_context()

    def _written(self, span: OtelSpan) -> str:
        context = span.get_span_context()
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


class _Recorded:
    def __init__(self, span: OtelSpan, traceparent: str, began: int) -> None:
        self._span = span
        self.traceparent: str | None = traceparent
        self.began = began

    def end(self, attributes: Attributes | None = None, *, failed: bool = False) -> None:
        if attributes:
            self._span.set_attributes(attributes)
        if failed:
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()
