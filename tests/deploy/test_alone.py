"""A service alone answers under its own name too: what a proxy passes on leads back to the same address."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import FastAPI, Request

from services.dispatch import Alone
from shared.service import Service
from tests.asgi import request


@pytest.fixture
def alone() -> Alone:
    app = FastAPI()

    @app.get("/v1/things")
    async def things(request: Request) -> dict[str, Any]:
        return {"root": request.scope.get("root_path", "")}

    return Alone(cast(Service, SimpleNamespace(name="ingest", app=app)))


@pytest.mark.parametrize(("path", "root"), [("/v1/things", ""), ("/ingest/v1/things", "/ingest")])
async def test_a_path_means_the_same_with_the_name_and_without(alone: Alone, path: str, root: str) -> None:
    assert (await request(alone, "GET", path)).json() == {"root": root}


@pytest.mark.parametrize(("path", "document"), [("/docs", "/openapi.json"), ("/ingest/docs", "/ingest/openapi.json")])
async def test_the_docs_name_the_document_where_they_were_asked_for(alone: Alone, path: str, document: str) -> None:
    assert f"'{document}'" in (await request(alone, "GET", path)).text


@pytest.mark.parametrize("path", ["/ingestx/v1/things", "/scoring/v1/things", "/ingest", "/ingest/ingest/v1/things"])
async def test_no_other_name_leads_there(alone: Alone, path: str) -> None:
    assert (await request(alone, "GET", path)).status_code == 404
