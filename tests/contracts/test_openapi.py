"""What `/openapi.json` of each service tells a reader: every path said in words, every body and main answer shown.

The examples of answers are computed again here, so that they are true.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from services.alerts import examples as alerts_examples
from services.alerts.app import build as build_alerts
from services.alerts.bodies import Act, Attempt, Comment, Resolution
from services.alerts.settings import AlertsSettings
from services.alerts.views import FollowupDetail, FollowupPage, FollowupView
from services.ingest.app import build as build_ingest
from services.ingest.settings import IngestSettings
from services.ingest.surveys import links as surveys
from services.scoring import examples
from services.scoring.answers import answer
from services.scoring.app import build as build_scoring
from services.scoring.metrics.cells import Cells, Scale
from services.scoring.metrics.registry import METRICS
from services.scoring.question import ask
from services.scoring.reconciliation import Consumed, Rows, reconcile
from services.scoring.sampling import Samples
from services.scoring.settings import ScoringSettings
from shared.clock import SystemClock
from shared.config import ConfigStore
from shared.consumer.progress import TopicProgress
from shared.db import Database
from shared.log.memory import MemoryLog
from shared.log.port import Bounds
from shared.sealing import Sealing
from tests.asgi import request
from tests.contracts.references import references
from tests.ingest.running import SECRET, RunningIngest
from tests.ingest.surveys.asking import ask as ask_for_link

SHOWN = {  # answers that must have an example
    "ingest": ["POST /v1/events", "POST /v1/surveys/links"],
    "scoring": [
        "GET /v1/metrics",
        "GET /v1/metrics/{metric}",
        "GET /v1/feedback/{id}",
        "GET /v1/dead-letters",
        "GET /v1/reconciliation",
        "GET /v1/sources",
        "GET /v1/sources/{name}",
    ],
    "alerts": [
        "GET /v1/followups",
        "GET /v1/followups/{id}",
        "POST /v1/followups/{id}/claim",
        "POST /v1/followups/{id}/resolve",
    ],
}


async def document(service: str) -> dict[str, Any]:
    log = MemoryLog(IngestSettings().topics())
    config = ConfigStore(log, "petla.config")
    if service == "ingest":
        app = build_ingest(IngestSettings(), log, config, SystemClock(), Sealing(SECRET)).app
    else:
        nowhere = Database("postgresql://nobody@127.0.0.1:1/nothing")  # connects when it is asked, which it is not
        build = build_scoring if service == "scoring" else build_alerts
        settings: Any = ScoringSettings() if service == "scoring" else AlertsSettings()
        app = build(settings, log, config, nowhere, SystemClock(), Sealing(SECRET)).app
    found: dict[str, Any] = (await request(app, "GET", "/openapi.json")).json()
    return found


def operations(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


@pytest.mark.parametrize("service", SHOWN)
async def test_the_document_is_whole(service: str) -> None:
    described = await document(service)
    assert described["openapi"].startswith("3.1")
    assert described["info"]["title"]
    assert described["info"]["version"]
    named = described["components"].get("schemas", {})
    assert {reference.removeprefix("#/components/schemas/") for reference in references(described)} <= named.keys()
    ids = Counter(operation["operationId"] for _, operation in operations(described))
    assert ids.most_common(1)[0][1] == 1
    for path, operation in operations(described):
        assert operation["summary"], path
        assert operation["security"], path
        assert {"4XX", "5XX"} < operation["responses"].keys(), path
        in_path = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", path)), path


def example(content: dict[str, Any], described: dict[str, Any]) -> Any:
    """Beside the schema, or of the schema that it names."""
    shown = content.get("example") or content.get("examples")
    if shown is None and (reference := content["schema"].get("$ref")):
        shown = described["components"]["schemas"][reference.rsplit("/", 1)[-1]].get("example")
    return shown


@pytest.mark.parametrize("service", SHOWN)
async def test_every_body_has_an_example(service: str) -> None:
    described = await document(service)
    for path, operation in operations(described):
        for media, body in operation.get("requestBody", {}).get("content", {}).items():
            assert example(body, described), f"{path} {media}"


@pytest.mark.parametrize("service", SHOWN)
async def test_the_main_answers_have_an_example(service: str) -> None:
    described = await document(service)
    found = dict(operations(described))
    for path in SHOWN[service]:
        answers = found[path]["responses"]
        shown = [
            example(answers[status]["content"]["application/json"], described) for status in answers if status[0] == "2"
        ]
        assert shown, path
        assert all(shown), path


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        (Act, alerts_examples.ACT),
        (Attempt, alerts_examples.ATTEMPT),
        (Comment, alerts_examples.COMMENT),
        (Resolution, alerts_examples.RESOLUTION),
        (FollowupView, alerts_examples.FOLLOWUP),
        (FollowupPage, alerts_examples.PAGE),
        (FollowupDetail, alerts_examples.DETAIL),
    ],
)
def test_what_alerts_shows_is_what_it_takes_and_gives(model: type[BaseModel], shown: dict[str, Any]) -> None:
    read = model.model_validate_json(json.dumps(shown))
    assert read.model_dump(mode="json") == shown
    assert model.model_json_schema()["example"] == shown


async def test_what_ingest_shows_as_a_body_is_taken() -> None:
    ingest = RunningIngest()
    await ingest.start()
    described = dict(operations(await document("ingest")))
    for media, body in described["POST /v1/events"]["requestBody"]["content"].items():
        for shown in body["examples"].values():
            value = shown["value"]
            response = await ingest.send(value.encode() if isinstance(value, str) else value, media)
            assert response.status_code == 202, (media, response.text)
    link = await ask_for_link(ingest, **surveys.ASKED)
    assert link.status_code == 201
    assert link.json().keys() == surveys.MADE.keys()
    await ingest.stop()


def nps(promoters: int, passives: int, detractors: int, retracted: int = 0) -> Cells:
    cells = Cells(excluded={"retracted": retracted} if retracted else {})
    for score, number in ((100, promoters), (80, passives), (30, detractors)):
        cells.add(Scale(0, 100), score, number)
    return cells


def test_the_metric_that_is_shown_is_what_these_answers_give() -> None:
    question = ask(
        METRICS["nps"],
        start="2026-11-01",
        end="2026-12-01",
        timezone="Europe/Warsaw",
        granularity=None,
        group_by="channel",
        compare_to="previous",
        confidence=0.95,
        filters={"store": ["Kraków"]},
        now=datetime(2026, 11, 30, tzinfo=UTC),
    )
    november: Samples = {(("email",), 0): nps(35, 20, 15, retracted=1), (("sms",), 0): nps(15, 10, 5)}
    october: Samples = {((), 0): nps(45, 35, 20)}
    assert answer(question, november, october) == examples.METRIC


def test_the_reconciliation_that_is_shown_adds_up() -> None:
    topics = Consumed(
        "petla.feedback", "petla.activity", "petla.followups", ("petla.scores", "petla.activity"), "petla.raw"
    )
    rows = Rows(
        at=datetime(2026, 11, 20, 9, 15, tzinfo=UTC),
        scored=6,
        retracted=1,
        superseded=1,
        detractors={"followup": 2, "too_old": 1},
        unpublished=0,
        alerts_positions={"petla.scores": {0: 8}, "petla.activity": {0: 2}},
    )
    progress = {
        "petla.feedback": TopicProgress({0: 5, 1: 4}, read=9, outcomes={"new": 8, "duplicate": 1}),
        "petla.activity": TopicProgress({0: 2, 1: 0}, read=2, outcomes={"new": 2}),
        "petla.followups": TopicProgress({0: 3, 1: 1}, read=4, outcomes={"new": 4}),
        "petla.raw": TopicProgress({0: 0, 1: 2}, read=2, outcomes={"new": 2}),
    }
    ends = {topic: {n: Bounds(0, end) for n, end in one.offsets.items()} for topic, one in progress.items()}
    ends["petla.scores"] = {0: Bounds(0, 8)}
    assert reconcile(rows, progress, ends, topics) == examples.RECONCILIATION
