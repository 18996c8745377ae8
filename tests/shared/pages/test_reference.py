"""The page of an API says all that its document lists, and asks for nothing but the service's own files."""

import re
from collections.abc import AsyncIterator
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Query
from prometheus_client import CollectorRegistry
from pydantic import BaseModel

from shared.config import ConfigStore
from shared.log.memory import MemoryLog
from shared.log.port import Topic
from shared.web import create_app

ROOTS = ["", "/scoring"]


class Step(BaseModel):
    version: int


async def checks() -> dict[str, str]:
    return {}


@pytest.fixture
def app() -> FastAPI:
    config = ConfigStore(MemoryLog([Topic("petla.config", 1, None, compacted=True)]), "petla.config")
    made = create_app("scoring", config=config, checks=checks, registry=CollectorRegistry())

    @made.get("/v1/things/{name}", summary="One thing")
    async def thing(name: str, since: Annotated[str | None, Query(description="a <date>")] = None) -> dict[str, str]:
        """What is known of it."""
        return {}

    @made.post("/v1/things/{name}/step")
    async def step(name: str, step: Step) -> dict[str, str]:
        return {}

    return made


@pytest.fixture(params=ROOTS)
async def http(app: FastAPI, request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    """At the service's own port, and under its name on a shared one."""
    transport = httpx.ASGITransport(app, root_path=request.param)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://petla{request.param}") as client:
        yield client


async def test_every_operation_is_told(http: httpx.AsyncClient) -> None:
    page = (await http.get("/docs")).text
    assert "<h2><code>GET /v1/things/{name}</code></h2>" in page
    assert "<h2><code>POST /v1/things/{name}/step</code></h2>" in page
    assert "One thing" in page
    assert "What is known of it." in page
    assert "<td><code>name</code></td><td>path, required</td>" in page
    assert "<td><code>since</code></td><td>query</td><td>a &lt;date&gt;</td>" in page
    assert "Body: <code>application/json</code>" in page
    assert "<dt>422</dt>" in page or "<dt>4XX</dt>" in page
    assert "/healthz" not in page


async def test_it_works_without_a_network_and_under_a_policy_that_lets_nothing_in(http: httpx.AsyncClient) -> None:
    answer = await http.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self';")
    assert "<script" not in answer.text
    assert "style=" not in answer.text
    asked = re.findall(r'(?:href|src)="([^"]+)"', answer.text)
    assert not [address for address in asked if ":" in address and address != "data:,"]
    (document,) = [address for address in asked if address.endswith(".json")]
    root = str(http.base_url.path).rstrip("/")
    assert document == f"{root}/openapi.json"
    sheets = [address for address in asked if address.endswith(".css")]
    assert [sheet.rpartition("/")[2] for sheet in sheets] == ["tokens.css", "reference.css"]
    for sheet in sheets:  # relative to the page
        assert (await http.get(f"/{sheet}")).headers["content-type"] == "text/css; charset=utf-8"


async def test_a_file_that_is_not_there_is_a_problem(http: httpx.AsyncClient) -> None:
    missing = await http.get("/docs/0/reference.html")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


async def test_the_framework_s_viewer_is_off(http: httpx.AsyncClient) -> None:
    for path in ("/redoc", "/docs/oauth2-redirect"):
        assert (await http.get(path)).status_code == 404
