"""What a shop and its customer do with a survey: ask for a link, open it, answer."""

from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec

from shared.events.envelope import Event
from tests.ingest.running import RunningIngest

FORM = "application/x-www-form-urlencoded"


async def ask(ingest: RunningIngest, key: str | None = None, **body: Any) -> httpx.Response:
    """A link for an NPS question in Polish unless `body` says otherwise; None leaves a field out."""
    told = {"survey_id": "after-delivery", "metric": "nps", "customer": "c-1", "language": "pl", **body}
    content = {name: value for name, value in told.items() if value is not None}
    headers = {"Authorization": f"Bearer {key or ingest.key}"}
    return await ingest.request("POST", "/v1/surveys/links", json=content, headers=headers)


async def link(ingest: RunningIngest, **body: Any) -> str:
    """The path of a new link."""
    response = await ask(ingest, **body)
    assert response.status_code == 201, response.text
    return urlsplit(response.json()["url"]).path


async def answer(ingest: RunningIngest, path: str, **fields: Any) -> httpx.Response:
    """The form as a browser sends it."""
    return await ingest.request(
        "POST", path, content=urlencode(fields).encode(), headers={"Content-Type": FORM, "Accept-Language": "pl"}
    )


def answers(ingest: RunningIngest) -> list[tuple[Event, dict[str, Any]]]:
    """What lies on the log, oldest revision first."""
    events = sorted(ingest.events(), key=lambda event: event.revision)
    return [(event, msgspec.json.decode(event.data)) for event in events]


def newest(ingest: RunningIngest) -> dict[str, Any]:
    return answers(ingest)[-1][1]
