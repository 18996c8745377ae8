"""The proxy sends every request where the one process of `petla up` sends it, and keeps from services what it must."""

import contextlib
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from services.dispatch import ROUTES, Dispatch
from tests.asgi import request
from tests.deploy.echo import NAMES, echoing_servers, echoing_services
from tests.deploy.nginx import Nginx, running_nginx
from tests.e2e.processes import PROJECT, free_port, until

ALL_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")
PREFIXES = [prefix for prefix, _, _ in ROUTES]
OTHERS = [
    "/",
    "/nowhere",
    "/v1",
    "/v1/",
    "/metrics",
    "/openapi.json",
    "/%ff",
    "/v1%2Fevents",
    "/v1/%65vents",
    "/v1/events%0A",
    "//v1/events",
    "/v1//events",
    "/V1/events",
    "/refused",
    "/ingest",
    "/ingestx",
    "/ingest/",
    "/ingest/docs",
    "/scoring/metrics",
    "/alerts/v1/metrics",
    "/ingest/v1/followups",
]
PATHS = [
    *PREFIXES,
    *(f"{prefix}/one" for prefix in PREFIXES),
    *(f"{prefix}/one/two%20three?q=1" for prefix in PREFIXES),
    *(f"{prefix}x" for prefix in PREFIXES),
    *OTHERS,
]


@pytest.fixture(scope="module")
def nginx() -> Iterator[Nginx]:
    with echoing_servers() as ports, running_nginx(ports) as started:
        yield started


def logged(nginx: Nginx, status: str) -> str | None:
    """The log, once it has a request of this status."""
    text = nginx.log.read_text(encoding="utf-8")
    return text if f'"status":"{status}"' in text else None


def test_files_that_people_load_all_go_to_one_process() -> None:
    """They lie on its disk; another process of ingest would not know of them."""
    with (
        echoing_servers() as ports,
        echoing_servers() as others,
        running_nginx(ports | {"uploads": others["ingest"]}) as nginx,
        httpx.Client(base_url=nginx.url, trust_env=False) as http,
    ):
        for path in ("/sources/upload", "/sources/upload/x/start", "/ingest/sources/upload/x"):
            assert http.post(path).json()["port"] == others["ingest"]
        assert http.get("/sources/uploads").json()["port"] == ports["scoring"]


@pytest.fixture
def http(nginx: Nginx) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=nginx.url, trust_env=False) as client:
        yield client


def who(answer: httpx.Response) -> Any:
    """Which service answered; of what nobody answered, the status and the problem."""
    if answer.status_code == 200 and "application/json" in answer.headers["content-type"]:
        return answer.json()["service"]
    return answer.status_code, answer.headers["content-type"], answer.json()


@pytest.mark.parametrize("path", PATHS)
async def test_a_path_reaches_whom_it_reaches_in_one_process(nginx: Nginx, path: str) -> None:
    one_process = Dispatch(echoing_services())
    async with httpx.AsyncClient(base_url=nginx.url, trust_env=False) as http:
        for method in ALL_METHODS if "sources" in path else ("GET", "POST"):
            expected = who(await request(one_process, method, path))
            assert who(await http.request(method, path)) == expected, method


def test_every_service_has_a_path(http: httpx.Client) -> None:
    """The test above compares two answers; this one says that they are the right ones."""
    assert {who(http.get(path)) for path in PREFIXES} == set(NAMES)
    assert (who(http.get("/v1/sources")), who(http.put("/v1/sources/shop"))) == ("scoring", "ingest")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_without_a_name_is_that_of_ingest(http: httpx.Client, path: str) -> None:
    assert who(http.get(path)) == "ingest"
    assert http.get(f"{path}/deeper").status_code == 404


async def test_the_docs_are_those_of_one_process(nginx: Nginx) -> None:
    one_process = Dispatch(echoing_services())
    async with httpx.AsyncClient(base_url=nginx.url, trust_env=False) as http:
        for method in ("GET", "POST"):
            expected, found = await request(one_process, method, "/docs"), await http.request(method, "/docs")
            assert (found.status_code, found.text) == (expected.status_code, expected.text)
            assert found.headers["content-type"] == expected.headers["content-type"]
            assert found.headers.get("allow") == expected.headers.get("allow")
        assert (await http.head("/docs")).content == b""


def test_a_path_arrives_as_it_was_sent(http: httpx.Client) -> None:
    for path in ("/v1/feedback/a%20b%2Fc?x=%C4%85&y=", "/alerts/v1/followups?state=new&state=reached", "/s/a//b"):
        assert http.get(path).json()["path"] == path


def test_who_asks_is_said_by_the_proxy_alone(http: httpx.Client) -> None:
    sent = {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https", "Host": "localhost:8080"}
    arrived = [(name.lower(), value) for name, value in http.get("/", headers=sent).json()["headers"]]
    found = {name: [value for other, value in arrived if other == name] for name, _ in arrived}
    assert found["x-forwarded-for"] == ["127.0.0.1"]
    assert found["x-forwarded-proto"] == ["http"]
    assert found["host"] == ["localhost:8080"]
    without = dict(http.get("/").json()["headers"])
    assert without["X-Forwarded-For"] == "127.0.0.1"


@pytest.mark.parametrize(("size", "status"), [(0, 200), (1, 413)])
@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/v1/events", 6),
        ("/sources", 6),
        ("/sources/uploads", 6),
        ("/sources/upload", 21),
        ("/ingest/sources/upload", 21),
    ],
)
def test_a_body_has_an_end(http: httpx.Client, path: str, most: int, size: int, status: int) -> None:
    size += most * 1024 * 1024
    answer = http.post(path, content=bytes(size))
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["bytes"] == size
    else:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "too_large"


def test_headers_too_long_are_refused_in_words(http: httpx.Client) -> None:
    answer = http.get("/v1/metrics", headers={"X-Long": "a" * 40_000})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    answer = http.get("/v1/metrics", params={"q": "a" * 40_000})
    assert (answer.status_code, answer.json()["code"]) == (414, "too_long")


def test_a_service_that_is_away_is_a_503_with_a_time() -> None:
    with running_nginx({name: free_port() for name in NAMES}) as nginx:
        answer = httpx.post(f"{nginx.url}/v1/events", json={}, trust_env=False)
        log = until(lambda: logged(nginx, "503"), 5, "a line of the log")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["code"], answer.json()["status"]) == ("unavailable", 503)
    assert '"service":"ingest","status":"503"' in log


@pytest.mark.slow
def test_who_never_finishes_is_cut_off(nginx: Nginx) -> None:
    beginnings = (
        b"GET / HTTP/1.1\r\nHost: a\r\n",
        b"POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{",
    )
    begun = time.monotonic()
    slow = [socket.create_connection(("127.0.0.1", nginx.port), timeout=20) for _ in beginnings]
    for connection, beginning in zip(slow, beginnings, strict=True):
        connection.sendall(beginning)
    for connection in slow:
        with connection, contextlib.suppress(ConnectionResetError):  # as good as an end
            assert connection.recv(1024) == b""
    assert time.monotonic() - begun < 15


def test_the_log_has_no_path_and_no_address(nginx: Nginx, http: httpx.Client) -> None:
    http.get("/v1/followups?customer=anna", headers={"Authorization": "Bearer petla_secret"})
    http.get("/s/a-token")
    http.get("/nowhere/anna")
    text = until(lambda: logged(nginx, "404"), 5, "a line of the log")
    assert '"service":"alerts","status":"200"' in text
    assert '"service":"","status":"404"' in text
    for private in ("anna", "a-token", "petla_secret", "127.0.0.1", "/v1/"):
        assert private not in text


def test_with_a_certificate_it_speaks_tls(nginx: Nginx) -> None:
    port = free_port()
    example = (PROJECT / "deploy" / "proxy" / "tls" / "tls.conf.example").read_text(encoding="utf-8")
    with echoing_servers() as ports:
        certificate = nginx.tls / "certificate.pem"
        made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
        files = ["-keyout", str(nginx.tls / "key.pem"), "-out", str(certificate)]
        subprocess.run([*made, *named, *files], check=True, capture_output=True)
        settings = example.replace("8443", f"127.0.0.1:{port}").replace("/etc/nginx/tls", str(nginx.tls))
        with running_nginx(ports, settings):
            trusted = ssl.create_default_context(cafile=certificate)
            found = httpx.get(f"https://127.0.0.1:{port}/login", verify=trusted, trust_env=False).json()
    assert found["service"] == "alerts"
    assert dict(found["headers"])["X-Forwarded-Proto"] == "https"
