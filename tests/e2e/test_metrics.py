"""/metrics of a running Pętla: names by convention, types and labels as docs/operations.md has them, true counts."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.client import Client
from tests.e2e.processes import PROJECT, temporary_installation, until

pytestmark = pytest.mark.slow

SERVICES = ("ingest", "scoring", "alerts")
# A prefix, words, and a unit at the end: counters count something in total, the others say in what they measure.
COUNTER = re.compile(r"petla(_[a-z]+)+_total")
HISTOGRAM = re.compile(r"petla(_[a-z]+)+_(seconds|records)")
GAUGE = re.compile(r"petla(_[a-z]+)+_(seconds|records|events|held|open|halted|complete|info)")
CONVENTION = {"counter": COUNTER, "histogram": HISTOGRAM, "gauge": GAUGE}
ROW = re.compile(r"^\| `(petla_[a-z_]+)` \| (\w+) \| (.*?) \|", re.MULTILINE)
AWAY = {"ALERTS_WEBHOOK_URL": "http://127.0.0.1:9/hook", "ALERTS_WEBHOOK_SECRET": "whsec_" + "A" * 32}
EVERY_SERIES = {  # of labels whose values are known beforehand
    "petla_alerts_followups_suppressed_total": {"too_old", "same_submission", "no_contact_consent"},
    "petla_alerts_followups_open": {"new", "assigned", "attempted", "reached"},
}


def documented() -> dict[str, tuple[str, set[str]]]:
    text = Path(PROJECT, "docs", "operations.md").read_text("utf-8")
    section = text.split("\n## Metrics")[1].split("\n## ")[0]
    return {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in ROW.findall(section)}


class Scrape:
    """One service's metrics at one moment."""

    def __init__(self, url: str) -> None:
        response = httpx.get(url, trust_env=False)
        assert response.headers["content-type"].startswith("text/plain; version=")
        self.types: dict[str, str] = {}
        self.helped: set[str] = set()
        for line in response.text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.types[name] = kind
            elif line.startswith("# HELP "):
                _, _, name, words = line.split(" ", 3)
                self.helped |= {name} if words.strip() else set()
        families = text_string_to_metric_families(response.text)
        self.samples = [sample for family in families for sample in family.samples]

    def names(self) -> set[str]:
        """Ours, without what the library adds to each."""
        return {name for name in self.types if name.startswith("petla_") and not name.endswith("_created")}

    def labels(self, name: str) -> set[str]:
        named = (name, f"{name}_count", f"{name}_bucket")
        return {label for one in self.samples if one.name in named for label in one.labels} - {"le"}

    def value(self, name: str, **labels: str) -> float:
        """Summed over the labels that are not named."""
        found = [one for one in self.samples if one.name == name and labels.items() <= one.labels.items()]
        return sum(one.value for one in found)


class Scraped:
    def __init__(self, url: str, client: Client) -> None:
        self.url = url
        self.client = client

    def __call__(self, service: str) -> Scrape:
        return Scrape(f"{self.url}/{service}/metrics")

    def refused(self, body: Any, **headers: str) -> int:
        return self.client.status("POST", "/v1/events", json=body, headers=headers)


@pytest.fixture(scope="module")
def scraped() -> Iterator[Scraped]:
    with temporary_installation(**AWAY) as installation:
        url = installation.up().url
        with Client(url, installation.create_key()["key"]) as client:
            made = Scraped(url, client)
            play(made)
            yield made


def answer(number: int, score: float = 3, **data: Any) -> dict[str, Any]:
    told = {"metric": "nps", "score": score, **data}
    return {"specversion": "1.0", "id": f"r-{number}", "source": "/s", "type": "feedback.received.v1", "data": told}


def play(scraped: Scraped) -> None:
    """Two follow-ups and one who joins, a promoter, a duplicate, a conflict, a rejected event, a refused key."""
    one, two = answer(1, submission_id="s-1"), answer(2)
    scraped.client.send([one, two, answer(3, submission_id="s-1"), answer(4, score=10)])
    scraped.client.settled()
    scraped.client.send([one])
    scraped.client.send([answer(2, score=1)])
    assert scraped.refused(answer(5, score=11)) == 422
    assert scraped.refused(answer(5), Authorization="Bearer petla_none") == 401
    assert scraped.client.status("POST", "/webhooks/nobody", json={}, headers={}) == 404
    scraped.client.settled()
    until(
        lambda: scraped("alerts").value("petla_notification_attempts_total", outcome="failed"), 10, "a failed webhook"
    )


def test_names_follow_the_convention_and_are_explained(scraped: Scraped) -> None:
    for service in SERVICES:
        scrape = scraped(service)
        assert scrape.names() <= scrape.helped
        assert not [name for name in scrape.names() if not CONVENTION[scrape.types[name]].fullmatch(name)]
        assert {"process_cpu_seconds_total", "process_resident_memory_bytes"} <= scrape.types.keys()


def test_the_documents_list_every_metric_as_it_is(scraped: Scraped) -> None:
    scrapes = [scraped(service) for service in SERVICES]
    told = documented()
    assert set().union(*(scrape.names() for scrape in scrapes)) == told.keys()
    for scrape in scrapes:
        for name in scrape.names():
            assert (scrape.types[name], scrape.labels(name)) == told[name], name


def test_ingest_counts_what_came_and_what_became_of_it(scraped: Scraped) -> None:
    ingest = scraped("ingest")
    assert ingest.value("petla_ingest_events_received_total") == 7
    assert ingest.value("petla_ingest_events_accepted_total") == 6
    assert ingest.value("petla_ingest_events_rejected_total", code="out_of_range") == 1
    assert ingest.value("petla_ingest_requests_refused_total", code="unknown_key") == 1
    assert ingest.value("petla_ingest_request_seconds_count") == 5
    assert ingest.value("petla_ingest_append_seconds_count") == 3
    assert 0 < ingest.value("petla_ingest_append_seconds_sum") < ingest.value("petla_ingest_request_seconds_sum")
    assert ingest.value("petla_ingest_spilled_records") == 0


def test_scoring_counts_what_became_of_the_records(scraped: Scraped) -> None:
    scoring = scraped("scoring")
    outcomes = {
        outcome: scoring.value("petla_consumer_records_total", topic="petla.feedback", outcome=outcome)
        for outcome in ("new", "duplicate", "conflict")
    }
    assert outcomes == {"new": 4, "duplicate": 1, "conflict": 1}
    assert scoring.value("petla_scoring_revisions_scored_total") == 4
    assert scoring.value("petla_consumer_batch_records_sum") == scoring.value("petla_consumer_records_total")
    assert scoring.value("petla_consumer_batch_seconds_sum") > 0
    assert scoring.value("petla_consumer_partitions_held") == 48
    assert scoring.value("petla_consumer_halted") == 0
    assert scoring.value("petla_consumer_dead_letters_total") == 0


def test_nothing_is_left_to_read_once_all_is_settled(scraped: Scraped) -> None:
    for service, topics in (
        ("scoring", ("feedback", "activity", "followups", "raw")),
        ("alerts", ("scores", "activity")),
    ):
        scrape = scraped(service)
        lags = [one for one in scrape.samples if one.name == "petla_consumer_lag_records"]
        assert {(one.labels["topic"], one.labels["partition"]) for one in lags} == {
            (f"petla.{topic}", str(number)) for topic in topics for number in range(12)
        }
        assert scrape.value("petla_scrape_complete") == 1
    assert scraped("alerts").value("petla_consumer_lag_records") == 0


def test_alerts_counts_follow_ups_and_what_is_owed(scraped: Scraped) -> None:
    alerts = scraped("alerts")
    assert alerts.value("petla_alerts_followups_opened_total") == 2
    assert alerts.value("petla_alerts_followups_suppressed_total", reason="same_submission") == 1
    assert alerts.value("petla_notification_attempts_total", outcome="delivered") == 0
    for name, values in EVERY_SERIES.items():
        assert {one.labels[label] for one in alerts.samples if one.name == name for label in one.labels} == values
    assert {one.name for one in alerts.samples} >= {"petla_alerts_relay_backlog_events"}


def test_the_build_says_what_runs(scraped: Scraped) -> None:
    for service in SERVICES:
        assert scraped(service).value("petla_build_info", service=service) == 1
