"""The application every service starts from: refusals in one form, nothing echoed, nothing unbounded, HEAD answered."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
import structlog
from fastapi import Depends, FastAPI, Header, HTTPException, Query
from prometheus_client import CollectorRegistry, Counter
from pydantic import BaseModel

from shared.access import Principal, create_key, requires
from shared.config import ConfigStore
from shared.log.memory import MemoryLog
from shared.log.port import Topic
from shared.problems import Refusal
from shared.web import create_app

Reader = Annotated[Principal, Depends(requires("metrics:read"))]


class Filters(BaseModel):
    channel: list[str] = []
    since: str | None = None


class Step(BaseModel, extra="forbid"):
    version: int
    by: str = "anna"


def routes(app: FastAPI) -> None:
    @app.get("/metrics/{metric}")
    async def metric(
        reader: Reader,
        metric: str,
        filters: Annotated[Filters, Query()],
        limit: int = 50,
        start: Annotated[int, Query(alias="from")] = 0,
        trace: Annotated[str | None, Header()] = None,
    ) -> dict[str, Any]:
        return {"source": reader.source, "channel": filters.channel, "limit": limit, "from": start}

    @app.post("/step")
    async def step(step: Step) -> dict[str, int]:
        if step.version == 409:
            raise Refusal(409, "stale", "another was faster: look again", current={"version": 7})
        if step.version == 418:
            raise HTTPException(418, "short and stout")
        if step.version == 500:
            raise RuntimeError("Anna Nowak")
        return {"version": step.version}


@pytest.fixture
async def config() -> AsyncIterator[ConfigStore]:
    made = ConfigStore(MemoryLog([Topic("petla.config", 1, None, compacted=True)]), "petla.config")
    await made.start()
    yield made
    await made.stop()


class Checks:
    def __init__(self) -> None:
        self.found = {"log": "ok", "database": "ok"}

    async def __call__(self) -> dict[str, str]:
        return self.found


@pytest.fixture
def checks() -> Checks:
    return Checks()


@pytest.fixture
async def client(config: ConfigStore, checks: Checks) -> AsyncIterator[httpx.AsyncClient]:
    registry = CollectorRegistry()
    Counter("petla_tested", "Tests", registry=registry).inc()
    app = create_app("scoring", config=config, checks=checks, registry=registry, figures=lambda: {"spilled": 0})
    routes(app)
    key = (await create_key(config, "shop", ["metrics:read"])).key
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t", headers=headers) as made:
        yield made


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, body["status"], body["code"]) == (status, status, code), body
    assert body["title"]
    assert body["detail"]
    return body


async def test_declared_parameters_are_taken(client: httpx.AsyncClient) -> None:
    response = await client.get("/metrics/nps?channel=a&channel=b&since=x&limit=3&from=7")
    assert response.json() == {"source": "shop", "channel": ["a", "b"], "limit": 3, "from": 7}


@pytest.mark.parametrize("name", ["colour", "start", "metric", "trace", "filters", "Limit", "credentials", ""])
async def test_an_unknown_parameter_is_422_and_named(client: httpx.AsyncClient, name: str) -> None:
    body = assert_problem(await client.get("/metrics/nps", params={name: "1", "limit": "3"}), 422, "unknown_parameter")
    assert body["errors"][0]["field"] == name
    assert "channel, from, limit, since" in body["detail"]


async def test_an_unknown_parameter_of_a_post_too(client: httpx.AsyncClient) -> None:
    assert_problem(await client.post("/step?dry_run=1", json={"version": 1}), 422, "unknown_parameter")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_a_probe_may_ask_as_it_likes_and_needs_no_key(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(f"{path}?probe=1", headers={"Authorization": ""})).status_code == 200


async def test_keys_and_scopes(client: httpx.AsyncClient, config: ConfigStore) -> None:
    response = await client.get("/metrics/nps", headers={"Authorization": ""})
    assert_problem(response, 401, "no_key")
    assert response.headers["www-authenticate"] == "Bearer"
    odd = [(b"Authorization", "Bearer é".encode())]
    assert_problem(await client.get("/metrics/nps", headers=odd), 401, "unknown_key")
    other = (await create_key(config, "shop", ["events:write"])).key
    response = await client.get("/metrics/nps", headers={"Authorization": f"Bearer {other}"})
    assert "metrics:read" in assert_problem(response, 403, "missing_scope")["detail"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "not_json"),
        (b"", 422, "invalid_request"),
        (b"\xff", 400, "bad_request"),
        (b"[" * 100_000, 400, "bad_request"),
        (b'{"version": ' + b"9" * 5000 + b"}", 400, "bad_request"),
        (b'{"version": NaN}', 422, "invalid_request"),
        (b'{"version": 1e400}', 422, "invalid_request"),
        (b'{"version": "Nowak"}', 422, "invalid_request"),
        (b'{"version": 1, "\\ud800": 1}', 422, "unusable_text"),
        (b'{"version": 1, "by": "\\ud800"}', 422, "unusable_text"),
        (b'{"version": 1, "by": "a\\u0000b"}', 422, "unusable_text"),
        ('{"version": 1, "by": "a\\u0000b"}'.encode("utf-16"), 400, "bad_request"),
        ('{"version": 1, "by": "Nowak"}'.encode("utf-32-le"), 400, "bad_request"),
        (b'{"version": 1, "extra": "Nowak"}', 422, "invalid_request"),
        (b'{"by": "Nowak"}', 422, "invalid_request"),
        (b'{"version": 418}', 418, "http_418"),
        (b"x" * (1024 * 1024 + 1), 413, "too_large"),
    ],
)
async def test_a_bad_body_is_a_problem_that_repeats_nothing(
    client: httpx.AsyncClient, body: bytes, status: int, code: str
) -> None:
    response = await client.post("/step", content=body, headers={"Content-Type": "application/json"})
    assert_problem(response, status, code)
    assert "Nowak" not in response.text


async def test_text_that_a_database_keeps_is_taken(client: httpx.AsyncClient) -> None:
    for by in (b"\\ud83d\\ude00", b"\\\\u0000", b"\\\\ud800", b"\\u0041"):
        response = await client.post(
            "/step", content=b'{"version": 1, "by": "' + by + b'"}', headers={"Content-Type": "application/json"}
        )
        assert response.status_code == 200, by


@pytest.mark.parametrize("path", ["/metrics/nps?channel=a%00b", "/metrics/n%00s"])
async def test_nul_in_an_address_is_422(client: httpx.AsyncClient, path: str) -> None:
    assert_problem(await client.get(path), 422, "unusable_text")


async def test_a_mistake_names_its_field(client: httpx.AsyncClient) -> None:
    body = assert_problem(await client.post("/step", json={"version": "x"}), 422, "invalid_request")
    assert body["errors"][0]["field"] == "version"
    assert body["detail"].startswith("version: ")
    body = assert_problem(await client.get("/metrics/nps?limit=x"), 422, "invalid_request")
    assert body["errors"][0]["field"] == "limit"


async def test_a_body_without_a_declared_length_has_an_end_too(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x" * 65_536

    response = await client.post("/step", content=endless(), headers={"Content-Type": "application/json"})
    assert_problem(response, 413, "too_large")


async def test_a_refusal_may_carry_more(client: httpx.AsyncClient) -> None:
    body = assert_problem(await client.post("/step", json={"version": 409}), 409, "stale")
    assert body["current"] == {"version": 7}


async def test_what_nobody_foresaw_is_500_logged_and_not_told(client: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs() as logged:
        response = await client.post("/step", json={"version": 500})
    assert_problem(response, 500, "internal_error")
    [line] = logged
    assert line["error"] == "RuntimeError"
    assert any("test_web.py" in frame for frame in line["frames"])
    assert "Nowak" not in str(line) + response.text


async def test_paths_and_methods_that_are_not_there(client: httpx.AsyncClient) -> None:
    assert_problem(await client.get("/nothing"), 404, "not_found")
    response = await client.get("/step")
    assert_problem(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/metrics/nps", "/healthz", "/readyz", "/metrics", "/openapi.json", "/nothing"])
async def test_head_is_get_without_a_body(client: httpx.AsyncClient, path: str) -> None:
    got, head = await client.get(path), await client.head(path)
    assert head.status_code == got.status_code
    assert head.headers["content-type"] == got.headers["content-type"]
    assert head.headers["content-length"] == str(len(got.content))
    assert head.content == b""


async def test_readiness_says_what_is_missing(client: httpx.AsyncClient, checks: Checks) -> None:
    response = await client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"ready": True, "checks": {"log": "ok", "database": "ok"}, "spilled": 0}
    checks.found["database"] = "no connection"
    response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["ready"] is False
    assert response.json()["checks"]["database"] == "no connection"
    assert (await client.get("/healthz")).status_code == 200


async def test_metrics_are_those_of_this_service(client: httpx.AsyncClient) -> None:
    response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    assert "petla_tested_total 1.0" in response.text


async def test_the_document_says_how_refusals_look(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    for operation in (document["paths"]["/metrics/{metric}"]["get"], document["paths"]["/step"]["post"]):
        assert set(operation["responses"]) == {"200", "4XX", "5XX"}
        assert "application/problem+json" in operation["responses"]["4XX"]["content"]
