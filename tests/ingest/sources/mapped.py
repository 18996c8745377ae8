"""What a built-in source makes of a delivery: samples that were captured or published, or bodies written by a test."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.ingest.sources import FOLDER
from services.ingest.webhooks.document import SourceDocument, compile_source
from services.ingest.webhooks.judging import Judgement, judge
from services.ingest.webhooks.request import Request
from shared.events.catalogue import ACCEPTED_TYPES

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_PAYLOADS = Path(__file__).parents[4] / "shared" / "payloads"


def document(name: str) -> SourceDocument:
    file = FOLDER / f"{name}.yaml"
    return compile_source(file.read_text(encoding="utf-8"), file.name, ACCEPTED_TYPES)


def sample(vendor: str, name: str) -> tuple[dict[str, str], Any]:
    """Headers and body of `../shared/payloads/VENDOR/NAME.json`; skips where there is none."""
    path = _PAYLOADS / vendor / f"{name}.json"
    if not path.exists():
        pytest.skip("../shared/payloads is not here")
    stored = json.loads(path.read_text(encoding="utf-8"))
    return stored["headers"], stored["body"]


def samples(vendor: str) -> list[str]:
    return sorted(path.stem for path in (_PAYLOADS / vendor).glob("*.json"))


def judged(
    name: str, body: Any, headers: Mapping[str, str] | None = None, *, url: str = "", media: str = "application/json"
) -> Judgement:
    """`body` is sent as JSON, unless it is bytes already."""
    lowered = {key.lower(): str(value) for key, value in (headers or {}).items()}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request(
        "POST", url or f"https://petla.example.com/webhooks/{name}", {"content-type": media} | lowered, raw
    )
    return judge(document(name), request, NOW)


def events(judgement: Judgement) -> list[dict[str, Any]]:
    """As they go on the log, without what every event has."""
    assert judgement.mistakes == []
    found = []
    for made in judgement.made:
        record = json.loads(made.admitted.value)
        kept = {key: record[key] for key in ("type", "id", "time", "data")}
        found.append({**kept, "revision": record.get("revision", 0)})
    return found


def mapped(vendor: str, name: str) -> list[dict[str, Any]]:
    """The events of a sample, without their revisions."""
    headers, body = sample(vendor, name)
    return [
        {key: value for key, value in event.items() if key != "revision"}
        for event in events(judged(vendor, body, headers))
    ]


def ignored(vendor: str, name: str, *, source: str | None = None) -> dict[str, int]:
    """Why a sample makes nothing, counted; `source` where its name is not the vendor's."""
    headers, body = sample(vendor, name)
    judgement = judged(source or vendor, body, headers)
    assert (judgement.made, judgement.mistakes) == ([], [])
    return dict(judgement.ignored)
