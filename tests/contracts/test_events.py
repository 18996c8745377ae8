"""Every type has an example: as a sender sends it, or as it stands on the log. Both ends of every topic read it.

A field that is renamed, dropped or made required breaks an example here before it breaks somebody's integration.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.alerts.handlers import Handlers as AlertsHandlers
from services.alerts.handlers import subscriptions as alerts_subscriptions
from services.alerts.settings import AlertsSettings
from services.scoring.handlers import Handlers as ScoringHandlers
from services.scoring.handlers import subscriptions as scoring_subscriptions
from services.scoring.publishing import Publisher
from services.scoring.rows import activity_arrival, activity_row, answers_of, feedback_arrivals, feedback_rows
from shared.consumer.messages import Message, Messages, Subscriptions, read_record
from shared.events.catalogue import ACCEPTED_TYPES, ACTIVITY_TOPIC, FEEDBACK_TOPIC, SCORES_TOPIC, TYPES
from shared.events.rights import ERASE_REQUESTED
from shared.log.port import Partition, Record
from shared.settings import Settings
from tests.ingest.running import RunningIngest

HERE = Path(__file__).parent
SENT = {path.name.removesuffix(".json"): path.read_bytes() for path in (HERE / "sent").iterdir()}
EMITTED = {path.name.removesuffix(".json"): path.read_bytes() for path in (HERE / "emitted").iterdir()}


@pytest.fixture
async def ingest() -> Any:
    running = RunningIngest()
    await running.start()
    running.clock.advance(30 * 24 * 3600)  # the examples are of November 2026, and none may lie in the future
    yield running
    await running.stop()


def read(topic: str, value: bytes) -> Message:
    understood = read_record(Record(Partition(topic, 0), 0, b"key", value))
    assert isinstance(understood, Message), understood
    return understood


def test_every_type_has_an_example_where_it_comes_from() -> None:
    assert sorted(SENT) == sorted(ACCEPTED_TYPES)
    assert sorted(EMITTED) == sorted(set(TYPES) - set(ACCEPTED_TYPES))


@pytest.mark.parametrize("name", sorted(SENT))
async def test_what_a_sender_sends_is_taken_and_read_again(ingest: RunningIngest, name: str) -> None:
    response = await ingest.send(SENT[name], "application/cloudevents+json")
    assert response.status_code == 202, response.text
    topic = f"petla.{TYPES[name].topic}"
    [record] = ingest.log.records(topic)
    assert record.value is not None
    message = read(topic, record.value)
    sent = json.loads(SENT[name])
    assert (message.event.type, message.event.id, message.event.source) == (name, sent["id"], sent["source"])
    assert message.event.revision == sent.get("revision", 0)
    assert message.event.factid == response.json()["id"]
    kept = json.loads(bytes(message.event.data))
    assert {field: kept.get(field) for field in sent["data"]} == sent["data"]


@pytest.mark.parametrize("name", sorted(EMITTED))
def test_what_a_service_emits_is_read_by_the_others(name: str) -> None:
    message = read(f"petla.{TYPES[name].topic}", EMITTED[name])
    again = json.loads(msgspec.json.encode(message.data))
    told = json.loads(EMITTED[name])["data"]
    assert again.keys() == told.keys()
    assert {field: again[field] for field in told if not is_time(told[field])} == {
        field: value for field, value in told.items() if not is_time(value)
    }


def is_time(value: object) -> bool:
    """The same moment may be written in two ways."""
    return isinstance(value, str) and value[4:5] == "-" and value[10:11] == "T"


@pytest.mark.parametrize("name", sorted(SENT))
async def test_scoring_makes_a_row_of_it(ingest: RunningIngest, name: str) -> None:
    await ingest.send(SENT[name])
    topic = f"petla.{TYPES[name].topic}"
    [record] = ingest.log.records(topic)
    message = read(topic, record.value or b"")
    if TYPES[name].topic == FEEDBACK_TOPIC:
        arrivals = feedback_arrivals(Messages.of([message]))
        assert message.event.data in list(feedback_rows(arrivals, answers_of(arrivals)))
    else:
        assert activity_row(activity_arrival(message))[5] in json.loads(SENT[name])["data"].values()


def test_every_type_has_a_handler_in_every_service_that_reads_its_topic() -> None:
    settings = Settings()
    scoring = scoring_subscriptions(ScoringHandlers(settings.zone, Publisher(settings.topic(SCORES_TOPIC))))
    alerts = alerts_subscriptions(AlertsHandlers(AlertsSettings(), lambda: None))
    passed_over = {name for name, kind in TYPES.items() if kind.topic == SCORES_TOPIC} | {ERASE_REQUESTED}
    assert of_topics(scoring) == set(TYPES) - passed_over
    assert of_topics(alerts) == {name for name, kind in TYPES.items() if kind.topic in (SCORES_TOPIC, ACTIVITY_TOPIC)}


def of_topics(subscriptions: Subscriptions) -> set[str]:
    return set(subscriptions)
