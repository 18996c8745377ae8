"""The HTTP application that every service starts from: health, readiness, metrics, and refusals in one form."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from fastapi import Depends, FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.middleware import Middleware

from shared.config import ConfigStore
from shared.middleware import BodyLimit, HeadAsGet, LastResort
from shared.problems import DOCUMENTED, add_handlers
from shared.strict_requests import refuse_unknown_parameters, refuse_unusable_text

MAX_BODY_BYTES = 1024 * 1024
_CHECKS_SECONDS = 5.0

Checks = Callable[[], Awaitable[dict[str, str]]]
Figures = Callable[[], Mapping[str, object]]


def create_app(
    name: str,
    *,
    config: ConfigStore,
    checks: Checks,
    registry: CollectorRegistry,
    figures: Figures = dict,
    max_body_bytes: int = MAX_BODY_BYTES,
) -> FastAPI:
    """`config` becomes `app.state.config`, which `access.requires` reads; `figures` stand beside the checks."""
    app = FastAPI(
        title=f"Pętla {name}",
        responses=DOCUMENTED,
        dependencies=[Depends(refuse_unknown_parameters), Depends(refuse_unusable_text)],
        middleware=[Middleware(LastResort), Middleware(HeadAsGet), Middleware(BodyLimit, max_bytes=max_body_bytes)],
    )
    app.state.config = config
    add_handlers(app)
    _add_health(app, checks, registry, figures)
    return app


def _add_health(app: FastAPI, checks: Checks, registry: CollectorRegistry, figures: Figures) -> None:
    async def healthz(request: Request) -> Response:
        return json_response({"healthy": True})

    async def readyz(request: Request) -> Response:
        found = await _answered(checks)
        ready = all(state == "ok" for state in found.values())
        return json_response({"ready": ready, "checks": found, **figures()}, 200 if ready else 503)

    async def metrics(request: Request) -> Response:
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    # Plain routes: a probe that adds a parameter of its own is still answered.
    for path, endpoint in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", metrics)):
        app.add_route(path, endpoint, include_in_schema=False)


async def _answered(checks: Checks) -> dict[str, str]:
    try:
        async with asyncio.timeout(_CHECKS_SECONDS):
            return await checks()
    except TimeoutError:
        return {"checks": f"no answer within {_CHECKS_SECONDS:g} seconds"}


def json_response(body: Mapping[str, object], status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, {"Cache-Control": "no-store"}, "application/json")
