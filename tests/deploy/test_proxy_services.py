"""Behind the proxy three services are one Pętla, and what is open on this machine only is closed."""

import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from tests.deploy.nginx import Nginx, running_nginx
from tests.e2e.client import Client
from tests.e2e.load import answer
from tests.e2e.processes import Installation, Server, material, temporary_installation

SERVICES = ("ingest", "scoring", "alerts")


@pytest.fixture(scope="module")
def behind() -> Iterator[tuple[Installation, dict[str, Server], Nginx]]:
    with temporary_installation() as installation:
        servers = {name: installation.start(name) for name in SERVICES}
        for server in servers.values():
            server.wait_ready()
        with running_nginx({name: server.port for name, server in servers.items()}) as nginx:
            yield installation, servers, nginx


@pytest.fixture
def http(behind: tuple[Installation, dict[str, Server], Nginx]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=behind[2].url, trust_env=False) as client:
        yield client


def test_the_first_page_is_for_this_machine_only(
    behind: tuple[Installation, dict[str, Server], Nginx], http: httpx.Client
) -> None:
    _, servers, _ = behind
    direct = httpx.get(f"{servers['scoring'].url}/", trust_env=False)
    assert direct.status_code == 200
    for headers in ({}, {"Host": "localhost"}, {"X-Forwarded-For": ""}):
        assert http.get("/", headers=headers).status_code == 401
        assert http.get("/scoring/", headers=headers).status_code == 401


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_its_own_under_its_name(http: httpx.Client, service: str) -> None:
    assert http.get(f"/{service}/healthz").json() == {"healthy": True}
    assert http.get(f"/{service}/readyz").json()["ready"] is True
    assert http.get(f"/{service}/metrics").headers["content-type"].startswith("text/plain")
    assert f'href="/{service}/openapi.json"' in http.get(f"/{service}/docs").text
    assert http.get(f"/{service}/openapi.json").json()["servers"] == [{"url": f"/{service}"}]


def test_health_is_that_of_ingest(http: httpx.Client) -> None:
    ready = http.get("/readyz").json()
    assert ready["ready"] is True
    assert ready["spilled"] == 0
    assert http.post("/healthz").status_code == 405


def test_an_answer_becomes_a_number_and_a_follow_up(behind: tuple[Installation, dict[str, Server], Nginx]) -> None:
    installation, _, nginx = behind
    key = installation.create_key()["key"]
    with Client(nginx.url, key) as client:
        (feedback,) = client.send([answer("through-the-proxy")])
        assert client.settled()["balanced"]
        (followup,) = client.get("/v1/followups", feedback=feedback)["items"]
        assert client.get(f"/v1/feedback/{feedback}")["followup"]["id"] == followup["id"]


ONE, MANY = "application/cloudevents+json", "application/json"


@pytest.mark.parametrize(
    ("mebibytes", "kind"), [(0.3, ONE), (1, ONE), (3, ONE), (5.1, MANY), (5.9, MANY), (6.1, MANY), (20, MANY)]
)
def test_too_large_is_never_a_try_again(
    behind: tuple[Installation, dict[str, Server], Nginx], http: httpx.Client, mebibytes: float, kind: str
) -> None:
    """A service that closes on the rest of a body makes the proxy lose its answer: so each is sent several times."""
    headers = {"Authorization": f"Bearer {behind[0].create_key()['key']}", "Content-Type": kind}
    for _ in range(5):
        refused = http.post("/v1/events", content=b" " * int(mebibytes * 1024 * 1024), headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
        assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.slow
def test_the_contract_holds_through_the_proxy(behind: tuple[Installation, dict[str, Server], Nginx]) -> None:
    check = material("checks", "contract")
    if check is None:
        pytest.skip("the contract check is not beside the project")
    installation, _, nginx = behind
    key = installation.create_key()["key"]
    done = subprocess.run(
        [sys.executable, check, "--url", nginx.url, "--key", key],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 differ" in done.stdout
