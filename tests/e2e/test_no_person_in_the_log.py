"""A whole `petla up` is told of one recognisable person, in every way that goes wrong: stderr names nobody.

Nor do readiness and metrics, which are open to anyone.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.events.envelope import object_key
from shared.log.port import NewRecord
from shared.log.sqlite import SqliteLog
from shared.settings import Settings
from tests.e2e.processes import Installation, Server, temporary_installation, until

pytestmark = pytest.mark.slow

NAME, PHONE, EMAIL = "Bożydar Kłębkowski", "+48 601 234 987", "bozydar.klebkowski@przyklad.example"
TEXT = "Kurier rzucił paczką w kałużę"
# Also as JSON, Python and URLs write them.
MARKS = ("Bożydar", "Kłębkowski", "klebkowski", "234 987", "234%20987", "kałuż", "ka\\u0142", "Bo\\u017c", "Bo%C5%BC")
NOWHERE = {"ALERTS_WEBHOOK_URL": "http://127.0.0.1:9/hook", "ALERTS_WEBHOOK_SECRET": "whsec_" + "A" * 32}
OPEN = ("/readyz", "/ingest/metrics", "/scoring/metrics", "/alerts/metrics")


def event(type_: str, id_: str, **data: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": id_, "source": "/s", "type": type_, "data": data}


def answer(id_: str, **data: Any) -> dict[str, Any]:
    return event("feedback.received.v1", id_, **{"metric": "nps", "score": 1, "text": TEXT, "customer": NAME, **data})


REFUSED = {
    "score": answer("r-2", score=TEXT),
    "range": answer("r-3", score=11),
    "id": answer(f"{NAME}\x07"),
    "type": event(f"{NAME}.v1", "e-1"),
    "time": {**answer("r-4"), "time": NAME},
    "batch": [answer(f"{EMAIL}-{number}", metric=NAME) for number in range(20)],
    "not a number": f'{{"id": "e-2", "data": {{"{NAME}": NaN}}}}'.encode(),
    "not JSON": f'{{"text": "{TEXT}'.encode(),
    "not UTF-8": TEXT.encode("utf-16"),
    "half a character": f'{{"specversion": "1.0", "id": "{NAME}\\ud800", "source": "/s", "type": "x"}}'.encode(),
}


class Told:
    def __init__(self, server: Server, installation: Installation) -> None:
        key = installation.create_key()["key"]
        self.server = server
        self.data = installation.data
        self._http = httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, trust_env=False)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self._http.request(method, path, **more)

    def send(self, body: Any) -> int:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.request(
            "POST", "/v1/events", content=content, headers={"Content-Type": "application/json"}
        ).status_code

    def metric(self, service: str, line: str) -> float:
        text = self.request("GET", f"/{service}/metrics").text
        return sum(float(row.rsplit(" ", 1)[1]) for row in text.splitlines() if row.startswith(line))

    def lines(self) -> list[dict[str, Any]]:
        """What was logged; every line is JSON."""
        return [json.loads(line) for line in self.server.stderr.read_text("utf-8").splitlines()]

    def events(self) -> set[str]:
        return {line["event"] for line in self.lines()}

    def close(self) -> None:
        self._http.close()


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    with temporary_installation(**NOWHERE) as installation:
        made = Told(installation.up(), installation)
        yield made
        made.close()


def names_nobody(text: str) -> None:
    assert not [mark for mark in MARKS if mark.lower() in text.lower()]


async def append(data: Path, topic: str, *values: bytes) -> None:
    """Past the door, as whoever writes to the log by hand."""
    settings = Settings(data=data)
    log = SqliteLog(data / "log", settings.topics())
    await log.append([NewRecord(settings.topic(topic), object_key("test", "one"), value) for value in values])
    await log.close()


def record(type_: str, data: Any, **more: Any) -> bytes:
    written = {
        **event(type_, NAME),
        "time": "2026-11-20T10:00:00Z",
        "sender": NAME,
        "factid": NAME,
        "receivedat": "2026-11-20T10:00:00Z",
        "data": data,
    }
    return json.dumps({**written, **more}).encode()


def poison() -> list[bytes]:
    return [
        f"{TEXT} is no JSON".encode(),
        record(f"{NAME}.v1", {}),
        record("customer.updated.v1", {"customer": "c-1", "name": [NAME]}),
        record("customer.updated.v1", {"customer": NAME, "name": f"{NAME}\0"}, factid="0" * 36),
    ]


async def test_one_person_and_everything_that_goes_wrong(told: Told) -> None:
    """One test, since the order matters: at the end the consumer has stopped."""
    customer = event("customer.updated.v1", "cu-1", customer=NAME, name=NAME, phone=PHONE, email=EMAIL)
    assert told.send([customer, answer(EMAIL)]) == 202
    for what, body in REFUSED.items():
        assert told.send(body) in (400, 422), what
    await ask_and_act(told)
    until(lambda: told.metric("alerts", 'petla_notification_attempts_total{outcome="failed"}'), 20, "a failed webhook")

    await append(told.data, "activity", *poison())
    until(lambda: told.metric("scoring", "petla_consumer_dead_letters_total") == 4, 20, "four dead letters")
    await append(told.data, "feedback", *(record(f"{NAME}.v1", {}) for _ in range(60)))
    until(lambda: told.metric("scoring", "petla_consumer_halted") == 1, 20, "the worker stopped")
    told.request("GET", "/readyz")

    said = {"event_rejected", "more_events_rejected", "followup_opened", "record_set_aside", "consumer_halted"}
    assert said <= told.events()
    reasons = {line["reason"] for line in told.lines() if line["event"] == "record_set_aside"}
    assert reasons == {"undecodable", "unknown_type", "invalid", "handler_failed"}
    for path in OPEN:
        names_nobody(told.request("GET", path).text)
    assert told.server.terminate() == 0
    names_nobody(told.server.stderr.read_text("utf-8"))


async def ask_and_act(told: Told) -> None:
    """Requests that are answered, refused, or ask for what there is not."""
    (followup,) = until(lambda: told.request("GET", "/v1/followups").json()["items"], 20, "the follow-up")
    path = f"/v1/followups/{followup['id']}"
    for body in ({"version": 1, "by": NAME, "note": TEXT}, {"version": 1, "by": NAME, "note": TEXT}, {"by": [NAME]}):
        told.request("POST", f"{path}/comment", json=body)
    for asked in (path, f"/v1/followups/{NAME}", f"/v1/feedback/{NAME}", f"/v1/metrics/{NAME}", f"/{NAME}"):
        told.request("GET", asked, params={"customer": NAME})
        told.request("GET", asked, params={NAME: TEXT})
    told.request("POST", "/v1/events", content=b"{}", headers={"Authorization": f"Bearer {EMAIL}"})
    told.request("POST", "/v1/events", content=b"{}", headers={"Content-Type": f"text/{EMAIL}"})
