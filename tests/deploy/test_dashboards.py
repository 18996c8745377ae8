"""Dashboards and alarms ask for metrics that exist, with labels that they have."""

import json
import re
from typing import Any

import pytest

from services.running import PORTS
from tests.deploy.documents import DEPLOY, read
from tests.e2e.processes import PROJECT

FOLDER = DEPLOY / "dashboards"
BOARD: dict[str, Any] = json.loads((FOLDER / "petla.json").read_text(encoding="utf-8"))
GRAPHS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
(ALARMS,) = read(FOLDER / "alarms.yml")
RULES = [rule for group in ALARMS["groups"] for rule in group["rules"]]
QUESTIONS = [target["expr"] for panel in GRAPHS for target in panel["targets"]] + [rule["expr"] for rule in RULES]
FROM_PROMETHEUS = {"job", "instance", "le"}


def documented() -> dict[str, set[str]]:
    """Every series with its labels, from the table that docs/operations.md has of them."""
    text = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
    found: dict[str, set[str]] = {}
    for name, kind, labels in re.findall(r"^\| `(petla_\w+)` \| (\w+) \| ([^|]*)\|", text, re.MULTILINE):
        series = [f"{name}_{part}" for part in ("bucket", "sum", "count")] if kind == "histogram" else [name]
        found |= {one: set(re.findall(r"`(\w+)`", labels)) for one in series}
    return found


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_is_asked_for_exists(question: str) -> None:
    known = documented()
    asked = set(re.findall(r"\bpetla_\w+", question))
    assert asked <= set(known)
    assert asked or re.search(r"\b(up|process_\w+)\b", question)
    labels = {name for one in asked for name in known[one]} | FROM_PROMETHEUS
    used = set(re.findall(r"[{,]\s*(\w+)\s*(?:=~|!~|!=|=)", question))
    for group in re.findall(r"\bby \(([^)]*)\)", question):
        used |= {name.strip() for name in group.split(",")}
    assert used <= labels


def test_the_lag_is_the_highest_that_a_process_shows_not_their_sum() -> None:
    asked = [question for question in QUESTIONS if "petla_consumer_lag_records" in question]
    assert len(asked) >= 3
    assert all("max by (job, topic, partition) (petla_consumer_lag_records)" in question for question in asked)


def test_an_alarm_says_what_to_do() -> None:
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert len(rule["annotations"]["summary"]) > 10
        assert rule["annotations"]["description"].endswith(".")


def test_every_service_is_read_at_its_port() -> None:
    (scraping,) = read(FOLDER / "prometheus.yml")
    found = {job["job_name"]: job["dns_sd_configs"] for job in scraping["scrape_configs"]}
    assert found == {name: [{"names": [name], "type": "A", "port": port}] for name, port in PORTS.items()}
    assert scraping["rule_files"] == ["alarms.yml"]


def test_the_board_draws_from_the_source_that_is_made_for_it() -> None:
    (sources,) = read(FOLDER / "grafana-datasource.yml")
    (source,) = sources["datasources"]
    assert {panel["datasource"]["uid"] for panel in GRAPHS} == {source["uid"]}
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in BOARD["panels"]]
    assert len(set(places)) == len(places)
