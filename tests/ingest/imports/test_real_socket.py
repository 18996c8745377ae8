"""The same over a real connection, with the terminal's output for people."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from services.ingest.imports import command
from tests.ingest.imports.conftest import Import
from tests.ingest.imports.fake_petla import FakePetla


@pytest.fixture
def petla() -> Iterator[tuple[FakePetla, str]]:
    fake = FakePetla()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            answer = fake.accept(httpx.Request("POST", self.path, content=content))
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield fake, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_rows_reach_a_server(
    importing: Import,
    petla: tuple[FakePetla, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake, url = petla
    # A proxy is not for this machine's own address.
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    importing.rows(*(f"{number},{number % 6 + 1},,żółć" for number in range(600)), "600,skip,,")
    assert command(importing.file, importing.mapping, url, "petla_k_s", False) == 1
    assert len(fake.events) == 500
    captured = capsys.readouterr()
    assert captured.err == ""
    errors = importing.folder / "rows.csv.errors.jsonl"
    seen = f"see {errors}; for a spreadsheet rows.csv.errors.csv"
    assert captured.out == f"601 rows: 500 events accepted, 1 rows ignored, 100 rejected ({seen}).\n"


def test_a_closed_port_sends_nothing(importing: Import) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        port = server.server_port
    importing.rows("1,5,,")
    assert importing.run(None, url=f"http://127.0.0.1:{port}") == 2
    assert "cannot be reached" in importing.stderr
    assert importing.slept == []
