"""Which path belongs to whom: three services on one port, or one behind the proxy, which follows the same table."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from starlette.responses import HTMLResponse
from starlette.types import Receive, Scope, Send

from shared.problems import problem
from shared.service import Service
from shared.web import json_response, readiness

# A path belongs to the first entry whose prefix it starts with, whole segments only; methods narrow an entry. A star
# stands for whatever lies between, and what follows it is the end: a customer may be named anything.
_WRITES = ("POST", "PUT", "DELETE", "PATCH")
ROUTES: Sequence[tuple[str, str, Sequence[str]]] = (
    ("/v1/events", "ingest", ()),
    ("/webhooks", "ingest", ()),
    ("/s", "ingest", ()),
    ("/v1/surveys", "ingest", ()),
    ("/v1/sources", "ingest", _WRITES),
    ("/v1/sources", "scoring", ()),
    ("/v1/metrics", "scoring", ()),
    ("/v1/feedback", "scoring", ()),
    ("/v1/reconciliation", "scoring", ()),
    ("/v1/dead-letters", "scoring", ()),
    ("/v1/customers/*/facts", "scoring", ()),
    ("/dashboard", "scoring", ()),
    ("/sources/upload", "ingest", ()),
    ("/sources", "scoring", ()),
    ("/static", "scoring", ()),
    ("/v1/followups", "alerts", ()),
    ("/v1/rules", "alerts", ()),
    ("/v1/notifications", "alerts", ()),
    ("/v1/customers", "alerts", ()),
    ("/login", "alerts", ()),
    ("/inbox", "alerts", ()),
    ("/loop", "alerts", ()),
)
_OVERVIEW = "scoring"
_OWN = ("/healthz", "/readyz", "/docs")
_METHOD_NOT_ALLOWED = problem(
    405, "method_not_allowed", "this path is only read: use GET or HEAD", headers={"Allow": "GET, HEAD"}
)


class Dispatch:
    """The ASGI application of `petla up`; `services` by name. `spilled` counts what waits on this disk for a broker."""

    def __init__(self, services: Mapping[str, Service], spilled: Callable[[], int] = lambda: 0) -> None:
        self._services = services
        self._spilled = spilled
        self._readiness = {name: readiness(service.checks) for name, service in services.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        name = path.split("/", 2)[1] if "/" in path else ""
        if name in self._services:
            # Everything a service has, under its name: its own health, metrics and docs too.
            await self._services[name].app({**scope, "root_path": f"/{name}"}, receive, send)
        elif owner := _owner(path, scope["method"]):
            await self._services[owner].app(scope, receive, send)
        else:
            await self._own(path, scope, receive, send)

    async def _own(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        if path in _OWN and scope["method"] not in ("GET", "HEAD"):
            await _METHOD_NOT_ALLOWED(scope, receive, send)
        elif path == "/healthz":
            await json_response({"healthy": True})(scope, receive, send)
        elif path == "/readyz":
            checks = await self._checks()
            ready = all(state == "ok" for state in checks.values())
            answer = json_response(
                {"ready": ready, "checks": checks, "spilled": self._spilled()}, 200 if ready else 503
            )
            await answer(scope, receive, send)
        elif path == "/docs":
            await HTMLResponse(_docs_page(self._services))(scope, receive, send)
        else:
            await problem(404, "not_found", "there is nothing at this path: /docs lists what there is")(
                scope, receive, send
            )

    async def _checks(self) -> dict[str, str]:
        found = await asyncio.gather(*(checks() for checks in self._readiness.values()))
        return {
            f"{name}.{check}": state
            for name, states in zip(self._readiness, found, strict=True)
            for check, state in states.items()
        }


class Alone:
    """The ASGI application of `petla up SERVICE`: its paths, and under its name the same, as a proxy passes them on."""

    def __init__(self, service: Service) -> None:
        self._app = service.app
        self._root = f"/{service.name}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (scope["path"] == self._root or scope["path"].startswith(f"{self._root}/")):
            scope = {**scope, "root_path": self._root}
        await self._app(scope, receive, send)


def _owner(path: str, method: str) -> str | None:
    if path == "/":
        return _OVERVIEW
    for prefix, owner, methods in ROUTES:
        if _lies_under(path, prefix) and (not methods or method in methods):
            return owner
    return None


def _lies_under(path: str, prefix: str) -> bool:
    before, star, after = prefix.partition("*")
    if star:
        return path.startswith(before) and path.endswith(after) and len(path) > len(before) + len(after)
    return path == prefix or path.startswith(prefix + "/")


def _docs_page(names: Iterable[str]) -> str:
    links = "".join(f'<li><a href="/{name}/docs">{name}</a></li>' for name in names)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Pętla: API</title>'
        f"<h1>Pętla: API</h1><p>One description for each service:</p><ul>{links}</ul></html>"
    )
