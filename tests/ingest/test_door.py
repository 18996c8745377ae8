"""The door as a whole: who may pass, what it says when the log is away, and what stands beside it."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from shared.access import SCOPES
from shared.log.port import Durability, LogUnavailable, NewRecord, Overloaded
from tests.ingest.running import RunningIngest, answer, assert_problem


async def test_without_a_key_or_with_a_wrong_one_401(ingest: RunningIngest) -> None:
    for header in ({}, {"Authorization": "Basic YTpi"}, {"Authorization": ingest.key}, {"Authorization": ""}):
        response = await ingest.request("POST", "/v1/events", json=answer(), headers=header)
        assert_problem(response, 401, "no_key")
        assert response.headers["www-authenticate"] == "Bearer"
    for key in ("petla_x_y", ingest.key[:-1], ingest.key + "a", "petla", "é".encode().decode("latin-1"), "_", "petla_"):
        headers = {"Authorization": f"Bearer {key}".encode("latin-1")}
        response = await ingest.request("POST", "/v1/events", json=answer(), headers=headers)
        assert_problem(response, 401, "unknown_key")
    assert ingest.events() == []


@pytest.mark.parametrize("scope", SCOPES)
async def test_only_events_write_and_admin_may_send(ingest: RunningIngest, scope: str) -> None:
    response = await ingest.send(answer(), key=await ingest.new_key("shop", scope))
    if scope in ("events:write", "admin"):
        assert response.status_code == 202
    else:
        assert_problem(response, 403, "missing_scope")


async def test_who_sent_it_comes_from_the_key_and_from_nowhere_else(ingest: RunningIngest) -> None:
    key = await ingest.new_key("call-centre", "events:write")
    await ingest.send(answer(sender="shop", source="shop") | {"sender": "shop"}, key=key)
    assert [kept.sender for kept in ingest.events()] == ["call-centre"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_405(ingest: RunningIngest, method: str) -> None:
    response = await ingest.request(method, "/v1/events")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


async def test_a_parameter_is_unknown(ingest: RunningIngest) -> None:
    assert_problem(await ingest.request("POST", "/v1/events?dry_run=true"), 422, "unknown_parameter")


async def test_other_paths_are_not_the_door_s(ingest: RunningIngest) -> None:
    assert_problem(await ingest.request("POST", "/v1/events/", json=answer()), 404, "not_found")
    assert_problem(await ingest.request("GET", "/v1/nothing"), 404, "not_found")


async def test_the_door_is_where_its_document_says_when_served_under_a_prefix(ingest: RunningIngest) -> None:
    transport = httpx.ASGITransport(ingest.service.app, root_path="/ingest")
    async with httpx.AsyncClient(transport=transport, base_url="http://t/ingest") as client:
        document = (await client.get("/openapi.json")).json()
        headers = {"Authorization": f"Bearer {ingest.key}"}
        assert document["servers"] == [{"url": "/ingest"}]
        assert (await client.post("/v1/events", json=answer(), headers=headers)).status_code == 202


async def test_a_log_that_is_away_is_503_and_unready(ingest: RunningIngest) -> None:
    ingest.log.unavailable = "the disk that holds /secret/path is full"
    response = await ingest.send(answer())
    body = assert_problem(response, 503, "log_unavailable")
    assert response.headers["retry-after"] == "5"
    assert "/secret/path" not in str(body)
    ready = await ingest.request("GET", "/readyz")
    assert ready.status_code == 503
    assert (ready.json()["ready"], ready.json()["checks"]["log"]) == (False, ingest.log.unavailable)
    assert (await ingest.request("GET", "/healthz")).status_code == 200
    ingest.log.unavailable = None
    assert (await ingest.send(answer())).status_code == 202
    ready = await ingest.request("GET", "/readyz")
    assert ready.status_code == 200
    assert ready.json() == {"ready": True, "checks": {"log": "ok", "config": "ok"}, "spilled": 0}


async def test_keys_that_are_not_known_yet_are_a_matter_of_time(tmp_path: Path) -> None:
    ingest = RunningIngest(snapshot=tmp_path / "snapshot.json")
    ingest.log.unavailable = "away"
    await ingest.config.start()
    response = await ingest.send(answer(), key="petla_abc_def")
    assert_problem(response, 503, "keys_unknown")
    assert response.headers["retry-after"] == "5"
    checks = (await ingest.request("GET", "/readyz")).json()["checks"]
    assert "cannot be read" in checks["config"]
    await ingest.config.stop()


async def test_what_is_known_of_the_configuration_is_enough_to_be_ready(tmp_path: Path) -> None:
    ingest = RunningIngest(snapshot=tmp_path / "snapshot.json")
    await ingest.config.start()
    key = await ingest.new_key("shop", "events:write")
    await ingest.config.stop()
    ingest.log.unavailable = "away"
    later = RunningIngest(snapshot=tmp_path / "snapshot.json")
    later.log.unavailable = "away"
    await later.config.start()
    later.log.unavailable = None  # for appends, as if they went to the spill
    assert (await later.send(answer(), key=key)).status_code == 202
    assert (await later.request("GET", "/readyz")).json()["checks"]["config"] == "ok"
    await later.config.stop()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Overloaded("64 MiB wait"), 503, "overloaded"),
        (LogUnavailable("away"), 503, "log_unavailable"),
        (RuntimeError("Anna Nowak"), 500, "internal_error"),
    ],
)
async def test_no_202_before_the_log_has_acknowledged(
    ingest: RunningIngest, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    async def failing(records: Sequence[NewRecord]) -> Durability:
        raise error

    monkeypatch.setattr(ingest.log, "append", failing)
    with structlog.testing.capture_logs() as logged:
        for sent in (answer(), [answer()]):
            response = await ingest.send(sent)
            assert_problem(response, status, code)
            assert ("retry-after" in response.headers) == (status == 503)
    assert "Nowak" not in str(logged) + response.text


@pytest.mark.parametrize("durability", ["replicated", "broker", "local"])
async def test_the_durability_is_what_the_log_said(ingest: RunningIngest, durability: Durability) -> None:
    ingest.log.durability = durability
    assert (await ingest.send(answer())).json()["durability"] == durability
    assert (await ingest.send([answer()])).json()["items"][0]["durability"] == durability


async def test_what_was_taken_and_refused_is_counted(ingest: RunningIngest) -> None:
    await ingest.send(answer(1))
    await ingest.send([answer(2), answer(3, score=11), answer(4, metric="x")])
    await ingest.send(answer(5, score=11))
    await ingest.send(b"x", "text/plain")
    await ingest.send(answer(), key="petla_x_y")
    text = (await ingest.request("GET", "/metrics")).text
    for line in (
        "petla_ingest_events_received_total 5.0",
        "petla_ingest_events_accepted_total 2.0",
        'petla_ingest_events_rejected_total{code="out_of_range"} 2.0',
        'petla_ingest_events_rejected_total{code="unknown_value"} 1.0',
        'petla_ingest_requests_refused_total{code="media_type"} 1.0',
        'petla_ingest_requests_refused_total{code="unknown_key"} 1.0',
    ):
        assert line in text.splitlines(), text


async def test_two_services_in_one_process_count_apart(ingest: RunningIngest, limited: RunningIngest) -> None:
    await ingest.send(answer())
    assert "petla_ingest_events_accepted_total 0.0" in (await limited.request("GET", "/metrics")).text


def resolved(document: dict[str, Any], node: Any) -> None:
    """Every reference in `node` leads somewhere."""
    if isinstance(node, dict):
        if "$ref" in node:
            found: Any = document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
        for inner in node.values():
            resolved(document, inner)
    elif isinstance(node, list):
        for inner in node:
            resolved(document, inner)


async def test_the_openapi_document_describes_the_door_and_its_examples_are_taken(ingest: RunningIngest) -> None:
    document = (await ingest.request("GET", "/openapi.json")).json()
    resolved(document, document)
    content = document["paths"]["/v1/events"]["post"]["requestBody"]["content"]
    for media, described in content.items():
        for example in described.get("examples", {}).values():
            assert (await ingest.send(example["value"], media)).status_code == 202
    assert "feedback.retracted.v1" in document["components"]["schemas"]


async def test_no_request_s_body_is_ever_logged(ingest: RunningIngest, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as logged:
        await ingest.send(answer(text="Anna Nowak", score=11))
        await ingest.send(answer(text="Anna Nowak"))
    assert "Nowak" not in str(logged) + caplog.text
