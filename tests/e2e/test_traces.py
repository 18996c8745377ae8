"""With an endpoint configured one POST is one trace: the request, scoring, the follow-up and its notification."""

import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from tests.collector import Collector, SeenSpan, collecting
from tests.e2e.processes import PROJECT, temporary_installation, until

pytestmark = pytest.mark.slow

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TEXT, CUSTOMER = "Kurier rzucił paczką", "kunegunda"
THROUGH = {
    ("petla-ingest", "POST /v1/events"),
    ("petla-scoring", "process feedback.received.v1"),
    ("petla-alerts", "process feedback.scored.v1"),
    ("petla-alerts", "open follow-up"),
    ("petla-alerts", "notify"),
    ("petla-scoring", "process followup.opened.v1"),
}


def detractor(number: int) -> dict[str, object]:
    data = {"metric": "nps", "score": 2, "text": TEXT, "customer": CUSTOMER}
    return {"specversion": "1.0", "id": f"r-{number}", "source": "/s", "type": "feedback.received.v1", "data": data}


class Traced:
    """Three services with traces, and who may send to them."""

    def __init__(self, url: str, key: str, collector: Collector) -> None:
        self._url = url
        self._key = key
        self.collector = collector

    def post(self, event: dict[str, object], **headers: str) -> str:
        """The fact's id."""
        authorized = {"Authorization": f"Bearer {self._key}", **headers}
        response = httpx.post(f"{self._url}/v1/events", json=event, headers=authorized, trust_env=False)
        assert response.status_code == 202, response.text
        return str(response.json()["id"])

    def whole(self, trace: str) -> list[SeenSpan]:
        """Its spans, once it came through."""

        def found() -> list[SeenSpan] | None:
            spans = [span for span in self.collector.spans() if span.trace == trace]
            return spans if {(span.service, span.name) for span in spans} >= THROUGH else None

        return until(found, 20, f"every span of {trace}")


@pytest.fixture(scope="module")
def traced() -> Iterator[Traced]:
    with collecting() as collector:
        environment = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "ALERTS_WEBHOOK_URL": f"{collector.url}/hook",
            "ALERTS_WEBHOOK_SECRET": SECRET,
        }
        with temporary_installation(**environment) as installation:
            server = installation.up()
            yield Traced(server.url, installation.create_key()["key"], collector)
            assert server.terminate() == 0


def test_one_post_is_one_trace_in_all_services(traced: Traced) -> None:
    fact = traced.post(detractor(1), traceparent=f"00-{TRACE}-{PARENT}-01")
    spans = {(span.service, span.name): span for span in traced.whole(TRACE)}
    assert spans.keys() == THROUGH
    request = spans["petla-ingest", "POST /v1/events"]
    assert request.parent == PARENT
    assert request.attributes == {"http.response.status_code": 202, "petla.events": 1, "petla.fact_id": fact}
    opened = spans["petla-alerts", "open follow-up"].attributes
    assert opened["petla.fact_id"] == fact
    assert spans["petla-scoring", "process followup.opened.v1"].attributes["messaging.destination.name"]
    assert not any(span.failed for span in spans.values())


def test_a_batch_is_a_span_of_its_own_linked_to_what_was_in_it(traced: Traced) -> None:
    trace = TRACE[::-1]
    traced.post(detractor(2), traceparent=f"00-{trace}-{PARENT}-01")
    traced.whole(trace)

    def linked() -> set[str]:
        batches = [span for span in traced.collector.spans() if span.name == "process batch"]
        assert trace not in {span.trace for span in batches}
        return {span.service for span in batches if trace in span.links}

    until(lambda: linked() == {"petla-scoring", "petla-alerts"}, 10, "batches of both services linked to the trace")


def test_a_header_that_is_no_traceparent_begins_a_trace(traced: Traced) -> None:
    fact = traced.post(detractor(3), traceparent="00-Kunegunda-01")

    def begun() -> list[str]:
        return [span.trace for span in traced.collector.spans() if span.attributes.get("petla.fact_id") == fact]

    trace = until(begun, 10, "the request's span")[0]
    assert {span.parent for span in traced.whole(trace) if span.service == "petla-ingest"} == {""}


def test_what_is_not_sampled_by_the_sender_is_not_recorded(traced: Traced) -> None:
    silent, later = "1" * 32, "2" * 32
    traced.post(detractor(4), traceparent=f"00-{silent}-{PARENT}-00")
    traced.post(detractor(5), traceparent=f"00-{later}-{PARENT}-01")
    traced.whole(later)
    assert silent not in {span.trace for span in traced.collector.spans()}


def test_spans_name_no_person(traced: Traced) -> None:
    trace = "3" * 32
    traced.post(detractor(6), traceparent=f"00-{trace}-{PARENT}-01")
    traced.whole(trace)
    seen = b"".join(traced.collector.bodies).decode("utf-8", "replace").lower()
    assert "petla.fact_id" in seen
    assert not [word for word in (TEXT.lower(), "rzuci", CUSTOMER) if word in seen]


def test_without_an_endpoint_what_records_and_sends_is_not_even_imported() -> None:
    """FastAPI itself imports the bare API."""
    code = (
        "import sys, services.running, services.ingest.app, services.scoring.app, services.alerts.app\n"
        "from shared.telemetry import new_tracing\n"
        "assert not new_tracing('ingest', None).on\n"
        "assert 'opentelemetry.sdk' not in sys.modules, 'the SDK'\n"
        "assert 'opentelemetry.exporter' not in sys.modules, 'the exporter'\n"
        "assert 'requests' not in sys.modules, 'what the exporter sends with'\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_the_framework_records_nothing_of_its_own() -> None:
    """Its spans would carry paths and queries, its logs what an error says."""
    code = (
        "import asyncio\n"
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "from opentelemetry.sdk.trace.export import SimpleSpanProcessor\n"
        "from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter\n"
        "from tests.asgi import request\n"
        "from tests.ingest.running import RunningIngest\n"
        "kept = InMemorySpanExporter()\n"
        "provider = TracerProvider()\n"
        "provider.add_span_processor(SimpleSpanProcessor(kept))\n"
        "trace.set_tracer_provider(provider)\n"
        "app = RunningIngest().service.app\n"
        "assert asyncio.run(request(app, 'GET', '/healthz?customer=kunegunda')).status_code == 200\n"
        "assert not kept.get_finished_spans(), kept.get_finished_spans()\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
