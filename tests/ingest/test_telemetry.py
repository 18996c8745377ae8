"""What ingest shows of its work: log lines of rejected events, spilled records, traces that begin at the door."""

import re
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
import structlog

from services.ingest.app import build
from shared.events.identity import activity_fact, feedback_fact
from shared.log.memory import MemoryLog
from shared.log.port import Durability, NewRecord
from tests.collector import collecting
from tests.ingest.running import RunningIngest, answer, event

CAUSE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def rejected(ingest: RunningIngest, body: Any, **headers: str) -> list[dict[str, Any]]:
    """The lines that a request leaves behind."""
    with structlog.testing.capture_logs() as logged:
        await ingest.send(body, headers=headers)
    return [dict(entry) for entry in logged]


async def test_a_rejected_event_is_a_line_with_the_fact_it_would_have_been(ingest: RunningIngest) -> None:
    (line,) = await rejected(ingest, answer(1, score=11))
    taken = await ingest.send(answer(1))
    assert line == {
        "event": "event_rejected",
        "log_level": "warning",
        "code": "out_of_range",
        "field": "data.score",
        "sender": "shop",
        "fact": taken.json()["id"],
    }


@pytest.mark.parametrize(
    ("sent", "fact"),
    [
        (event("order.placed.v1", "e-1"), activity_fact("shop", "/survey", "order.placed.v1", "e-1")),
        (answer(7, score=11, feedback_id="f-7"), feedback_fact("shop", "/survey", "f-7")),
        ({"id": "e-1", "data": {}}, None),
        ([{"id": "e-1"}, 3], None),
        (b'{"id": "Anna', None),
        (b'{"id": "\\ud800", "source": "s", "type": "t", "data": {}}', None),
        (b'{"id": "r", "source": "s", "type": "feedback.received.v1", "data": "Anna"}', None),
    ],
)
async def test_a_fact_is_named_where_the_event_says_which(ingest: RunningIngest, sent: Any, fact: str | None) -> None:
    lines = await rejected(ingest, sent)
    assert {line["fact"] for line in lines} == {fact}
    assert "Anna" not in str(lines)


async def test_a_rejected_event_in_headers_is_named_too(ingest: RunningIngest) -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "r-1", "ce-source": "/survey", "ce-type": "feedback.received.v1"}
    (line,) = await rejected(ingest, {"metric": "nps", "score": 11}, **headers)
    assert line["fact"] == feedback_fact("shop", "/survey", "r-1")


async def test_a_field_that_we_do_not_know_is_not_logged(ingest: RunningIngest) -> None:
    (line,) = await rejected(ingest, b'{"specversion": "1.0", "id": "1", "data": {"Anna Nowak": NaN}}')
    assert (line["code"], line["field"]) == ("not_finite", None)


async def test_a_thousand_rejected_events_are_eleven_lines(ingest: RunningIngest) -> None:
    lines = await rejected(ingest, [answer(number, score=11) for number in range(1_000)])
    assert [line["event"] for line in lines] == ["event_rejected"] * 10 + ["more_events_rejected"]
    assert lines[-1]["count"] == 990


async def test_an_event_that_is_taken_is_no_line(ingest: RunningIngest) -> None:
    assert await rejected(ingest, [answer(1), answer(2)]) == []


class Spilling(MemoryLog):
    """A log whose broker is away."""

    spilled = 7
    refused = 2

    async def append(self, records: Sequence[NewRecord]) -> Durability:
        return "local"


async def test_records_that_wait_for_the_broker_are_shown() -> None:
    running = RunningIngest()
    log = Spilling(running.settings.topics())
    service = build(running.settings, log, running.config, running.clock, running.sealing)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(service.app), base_url="http://t") as client:
        metrics = (await client.get("/metrics")).text
        assert "\npetla_ingest_spilled_records 7.0\n" in metrics
        assert "\npetla_ingest_spill_refused_records_total 2.0\n" in metrics
        assert (await client.get("/readyz")).json()["spilled"] == 7


async def test_untraced_records_carry_no_trace(ingest: RunningIngest) -> None:
    """Also where the sender traces: nobody here would go on with it."""
    await ingest.send(answer(1), headers={"traceparent": CAUSE})
    (record,) = ingest.log.records("petla.feedback")
    assert b"traceparent" not in (record.value or b"")


async def test_traced_records_carry_the_request_that_brought_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        running = RunningIngest()
        await running.start()
        await running.send([answer(1), answer(2)], headers={"traceparent": CAUSE})
        await running.send(answer(3, score=11), headers={"traceparent": CAUSE})
        running.log.unavailable = "away"
        await running.send(answer(4), headers={"traceparent": CAUSE})
        await running.stop()
    carried = {one.traceparent for one in running.events()}
    assert len(carried) == 1
    assert re.fullmatch("00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01", str(carried.pop()))
    shown = [(span.attributes, span.failed) for span in collector.spans()]
    assert shown == [
        ({"http.response.status_code": 202, "petla.events": 2}, False),
        ({"http.response.status_code": 422}, False),
        ({"http.response.status_code": 503}, True),
    ]
