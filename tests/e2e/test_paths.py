"""What the shared port answers at every path that is no API call: to people, to probes, to the lost."""

from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.processes import Server, temporary_installation

SERVICES = ("ingest", "scoring", "alerts")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with temporary_installation() as installation:
        yield installation.up()


@pytest.fixture
def http(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        yield client


def test_health_and_readiness_speak_for_all_three(http: httpx.Client) -> None:
    assert http.get("/healthz").json() == {"healthy": True}
    ready = http.get("/readyz").json()
    assert ready["ready"] is True
    assert ready["spilled"] == 0
    assert {name.split(".")[0] for name in ready["checks"]} == set(SERVICES)
    assert set(ready["checks"].values()) == {"ok"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_its_own_under_its_name(http: httpx.Client, service: str) -> None:
    assert http.get(f"/{service}/healthz").status_code == 200
    assert http.get(f"/{service}/readyz").json()["ready"] is True
    assert http.get(f"/{service}/metrics").headers["content-type"].startswith("text/plain")
    assert f'href="/{service}/openapi.json"' in http.get(f"/{service}/docs").text
    assert http.get(f"/{service}/openapi.json").json()["paths"]


def test_the_docs_link_the_three(http: httpx.Client) -> None:
    page = http.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert all(f'href="/{service}/docs"' in page.text for service in SERVICES)


def test_the_first_page_needs_no_key_on_this_machine(http: httpx.Client) -> None:
    page = http.get("/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/docs", "/scoring/docs", "/alerts/readyz"])
def test_what_is_only_read_refuses_other_methods(http: httpx.Client, path: str) -> None:
    head = http.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for method in ("POST", "PUT", "DELETE"):
        refused = http.request(method, path)
        assert refused.status_code == 405
        assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD"}
        assert refused.json()["code"] == "method_not_allowed"


def test_events_are_only_sent(http: httpx.Client) -> None:
    refused = http.get("/v1/events")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/nowhere", "/v1", "/v1/metricsx", "/scoring/nowhere", "/ingestx", "/%ff"])
def test_nothing_there_is_a_problem_with_a_sentence(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_an_api_works_under_the_name_of_its_service_too(http: httpx.Client) -> None:
    assert http.get("/scoring/v1/metrics").status_code == http.get("/v1/metrics").status_code == 401
    assert http.get("/alerts/v1/metrics").status_code == 404
