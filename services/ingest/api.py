"""Everything of ingest's HTTP interface that is not the door: health, metrics, the OpenAPI document."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from services.ingest.openapi import describe
from shared.config import ConfigStore
from shared.log.port import LogUnavailable
from shared.web import Checks, create_app


def create_api(
    config: ConfigStore,
    checks: Checks,
    registry: CollectorRegistry,
    spilled: Callable[[], int],
    larger_bodies: Mapping[str, int],
) -> FastAPI:
    """`spilled` counts the records that wait on this disk for the broker."""
    app = create_app(
        "ingest",
        config=config,
        checks=checks,
        registry=registry,
        figures=lambda: {"spilled": spilled()},
        is_away=_is_away,
        larger_bodies=larger_bodies,
    )
    framework_document = app.openapi

    def openapi() -> dict[str, Any]:
        return describe(framework_document())

    app.openapi = openapi  # type: ignore[method-assign] # the way FastAPI names for extending the document
    return app


def _is_away(error: Exception) -> bool:
    return isinstance(error, LogUnavailable)
