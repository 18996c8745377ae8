"""Spans over OTLP/HTTP to a receiver in this process; no endpoint holds a service up."""

import socket
import time
from collections.abc import Iterator

import pytest

from shared import otlp
from shared.otlp import OtlpTracing
from shared.telemetry import new_tracing
from shared.tracing import UNTRACED
from tests.collector import Collector, SeenSpan, collecting

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CAUSE = f"00-{TRACE}-{PARENT}-01"
NONE = [
    "",
    "Anna",
    f"00-{TRACE}-{PARENT}",
    f"00-{'0' * 32}-{PARENT}-01",
    f"00-{TRACE}-{'0' * 16}-01",
    f"ff-{TRACE}-{PARENT}-01",
    CAUSE.upper(),
]


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as made:
        yield made


async def sent(collector: Collector, tracing: OtlpTracing) -> list[SeenSpan]:
    await tracing.close()
    return collector.spans()


async def test_a_span_carries_its_cause_and_is_one_for_others(collector: Collector) -> None:
    tracing = OtlpTracing("ingest", collector.url)
    outer = tracing.start("outer", "server", caused_by=CAUSE)
    inner = tracing.start("inner", caused_by=outer.traceparent, links=[CAUSE, None, "Anna"], began=outer.began)
    inner.end({"petla.events": 3}, failed=True)
    outer.end()
    spans = {span.name: span for span in await sent(collector, tracing)}
    assert spans["outer"][:4] == ("petla-ingest", "outer", TRACE, PARENT)
    assert outer.traceparent == f"00-{TRACE}-{spans['inner'].parent}-01"
    assert spans["inner"].links == [TRACE]
    assert spans["inner"].attributes == {"petla.events": 3}
    assert (spans["inner"].failed, spans["outer"].failed) == (True, False)


@pytest.mark.parametrize("cause", NONE)
async def test_what_is_no_traceparent_begins_a_trace(collector: Collector, cause: str) -> None:
    tracing = OtlpTracing("ingest", collector.url)
    tracing.start("alone", caused_by=cause).end()
    (span,) = await sent(collector, tracing)
    assert span.parent == ""
    assert len(span.trace) == 32
    assert span.trace != TRACE


async def test_an_endpoint_may_end_with_a_slash(collector: Collector) -> None:
    tracing = OtlpTracing("ingest", f"{collector.url}/")
    tracing.start("one").end()
    assert len(await sent(collector, tracing)) == 1


async def test_the_service_may_be_called_otherwise(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop-feedback")
    tracing = OtlpTracing("ingest", collector.url)
    tracing.start("one").end()
    assert [span.service for span in await sent(collector, tracing)] == ["shop-feedback"]


async def test_an_endpoint_that_hangs_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "CLOSE_SECONDS", 0.1)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")  # so that its thread is gone soon after the test
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection and says nothing
        tracing = OtlpTracing("ingest", f"http://127.0.0.1:{silent.getsockname()[1]}")
        tracing.start("one").end()
        begun = time.monotonic()
        await tracing.close()
        assert time.monotonic() - begun < 1.0


async def test_without_an_endpoint_there_is_nothing() -> None:
    tracing = new_tracing("ingest", None)
    assert tracing is UNTRACED
    span = tracing.start("one", "server", caused_by=CAUSE)
    span.end({"petla.events": 1})
    assert (tracing.on, span.traceparent) == (False, None)
    await tracing.close()
