"""Stand-ins for the three services that answer who they are and what arrived."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from shared.service import Service

NAMES = ("ingest", "scoring", "alerts")


@contextmanager
def echoing_servers() -> Iterator[dict[str, int]]:
    """The port of each."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(_echoing(name)) for name in NAMES}


@contextmanager
def _echoing(name: str) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(name)) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def _handler(name: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30  # an idle connection of the proxy must not hold a thread for ever

        def answer(self) -> None:
            received = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told = {"service": name, "path": self.path, "bytes": len(received), "headers": self.headers.items()}
            told["port"] = self.connection.getsockname()[1]
            body = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer  # noqa: N815 - the library looks them up by name

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - as the library calls it
            """Nobody reads it."""

    return Handler


def echoing_services() -> dict[str, Service]:
    """The same as applications, for the dispatch inside one process."""

    async def checks() -> dict[str, str]:
        return {}

    return {name: cast(Service, SimpleNamespace(name=name, app=_application(name), checks=checks)) for name in NAMES}


def _application(name: str) -> Any:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        path = Request(scope).scope["path"]
        await JSONResponse({"service": name, "path": path})(scope, receive, send)

    return application
