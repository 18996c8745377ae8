"""The HTTP application that every service starts from: health, readiness, metrics, docs, and refusals in one form.

Refused before a model sees it: parameters nobody declared, text that no database keeps.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import MappingProxyType

import msgspec
from fastapi import Depends, FastAPI, Request, Response
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Cookie, Header, Path
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from fastapi.telemetry import TelemetryConfig
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.middleware import Middleware

from shared.config import ConfigStore
from shared.middleware import BodyLimit, HeadAsGet, IsAway, LastResort
from shared.pages.files import file_answer
from shared.pages.policy import page_headers
from shared.pages.reference import Reference
from shared.problems import DOCUMENTED, Refusal, add_handlers, mistake
from shared.single_flight import SingleFlight

MAX_BODY_BYTES = 1024 * 1024
_CHECKS_SECONDS = 5.0
_NUL_IN_JSON = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")

# The framework's own: its spans carry paths and queries, its logs what an error says. We record what we chose.
_NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}

Checks = Callable[[], Awaitable[dict[str, str]]]
Figures = Callable[[], Mapping[str, object]]
Refresh = Callable[[], Awaitable[None]]


async def _nothing_to_refresh() -> None:
    pass


def create_app(
    name: str,
    *,
    config: ConfigStore,
    checks: Checks,
    registry: CollectorRegistry,
    figures: Figures = dict,
    refresh: Refresh = _nothing_to_refresh,
    is_away: IsAway = lambda error: False,
    larger_bodies: Mapping[str, int] = MappingProxyType({}),
) -> FastAPI:
    """`config` becomes `app.state.config`, which `access.requires` reads; `figures` stand beside the checks.

    `refresh` brings figures up to date before the registry's metrics are written.

    `larger_bodies` has the paths that take more than `MAX_BODY_BYTES`.

    `is_away` tells errors that mean "not now" (503) from mistakes of ours (500).
    """
    app = FastAPI(
        title=f"Pętla {name}",
        docs_url=None,
        redoc_url=None,
        responses=DOCUMENTED,
        telemetry=_NO_TELEMETRY,
        dependencies=[Depends(refuse_unknown_parameters), Depends(refuse_unusable_text)],
        middleware=[
            Middleware(LastResort, is_away=is_away),
            Middleware(HeadAsGet),
            Middleware(BodyLimit, max_bytes=MAX_BODY_BYTES, larger=larger_bodies),
        ],
    )
    app.state.config = config
    add_handlers(app)
    _add_health(app, readiness(checks), figures)
    _add_metrics(app, registry, refresh)
    _add_docs(app)
    return app


def _add_health(app: FastAPI, checks: Checks, figures: Figures) -> None:
    async def healthz(request: Request) -> Response:
        return json_response({"healthy": True})

    async def readyz(request: Request) -> Response:
        found = await checks()
        ready = all(state == "ok" for state in found.values())
        return json_response({"ready": ready, "checks": found, **figures()}, 200 if ready else 503)

    # Plain routes: a probe that adds a parameter of its own is still answered.
    app.add_route("/healthz", healthz, include_in_schema=False)
    app.add_route("/readyz", readyz, include_in_schema=False)


def _add_metrics(app: FastAPI, registry: CollectorRegistry, refresh: Refresh) -> None:
    async def metrics(request: Request) -> Response:
        await refresh()
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.add_route("/metrics", metrics, include_in_schema=False)


def _add_docs(app: FastAPI) -> None:
    reference = Reference()

    async def docs(request: Request) -> Response:
        root = request.scope.get("root_path", "")
        return HTMLResponse(reference.page(app.openapi(), f"{root}/openapi.json"), headers=page_headers())

    async def file(request: Request) -> Response:
        return file_answer(reference.files, **request.path_params)

    app.add_route("/docs", docs, include_in_schema=False)
    app.add_route("/docs/{digest}/{name}", file, include_in_schema=False)


def readiness(checks: Checks) -> Checks:
    """The same checks for anyone who asks: one look at a time, an answer within seconds."""
    return SingleFlight(partial(_answered, checks))


async def _answered(checks: Checks) -> dict[str, str]:
    try:
        async with asyncio.timeout(_CHECKS_SECONDS):
            return await checks()
    except TimeoutError:
        return {"checks": f"no answer within {_CHECKS_SECONDS:g} seconds"}


def json_response(body: Mapping[str, object], status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, {"Cache-Control": "no-store"}, "application/json")


async def refuse_unknown_parameters(request: Request) -> None:
    """A misspelt filter would silently answer another question."""
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute):
        return
    elsewhere = (Path, Header, Cookie)  # what is left is a query parameter, or a field of a model of them
    known = {item.alias for item in get_flat_params(route.dependant) if not isinstance(item.field_info, elsewhere)}
    unknown = next((name for name in request.query_params if name not in known), None)
    if unknown is not None:
        raise Refusal(422, "unknown_parameter", _unknown(unknown, sorted(known)), [_error(unknown)])


async def refuse_unusable_text(request: Request) -> None:
    """NUL and half of a surrogate pair pass every model of Pydantic, and then fail in the database as a 500."""
    for name, value in (*request.query_params.multi_items(), *request.path_params.items()):
        if "\0" in str(value):
            raise _unusable(name)
    if "json" in request.headers.get("content-type", ""):
        body = await request.body()
        if b"\0" in body:  # UTF-16 and UTF-32, which Python's JSON reads too, past what is looked for below
            raise Refusal(400, "bad_request", "the body cannot be read: send JSON in UTF-8")
        if not _is_usable(body):
            raise _unusable("body")


def _is_usable(body: bytes) -> bool:
    if b"\\u" not in body:
        return True
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return False
    return _NUL_IN_JSON.search(body) is None


def _unusable(field: str) -> Refusal:
    return mistake(field[:100], "unusable_text", "holds NUL or half of a surrogate pair: remove it")


def _unknown(name: str, known: list[str]) -> str:
    return f"there is no parameter {name[:100]!r} here; " + (
        f"known are {', '.join(known)}" if known else "none is known"
    )


def _error(name: str) -> dict[str, str]:
    return {"field": name[:100], "code": "unknown_parameter", "message": "leave it out, or correct its name"}
