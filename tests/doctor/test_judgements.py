"""What the doctor makes of what it sees: what is well, what should be looked at, what breaks a promise."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.doctor import databases, looks, machine, spill, topics
from shared.findings import Finding, any_fails
from shared.log.kafka_settings import Cluster, lacking
from shared.settings import Settings
from tests.shared.log.test_kafka_settings import FACTS, on_kafka

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
GOOD = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "idle_in_transaction_session_timeout": "3s",
}


def levels(*findings: Finding) -> list[str]:
    return [finding.level for finding in findings]


def test_a_line_is_level_name_sentence() -> None:
    assert str(Finding("ok", "port", "8080 is free")) == "ok    port  8080 is free"
    assert str(Finding("fail", "disk", "is full")) == "fail  disk  is full"
    assert any_fails([Finding("ok", "a", ""), Finding("fail", "b", "")])
    assert not any_fails([Finding("ok", "a", ""), Finding("warn", "b", "")])


@pytest.mark.parametrize(("mebibytes", "level"), [(511, "fail"), (512, "warn"), (5_119, "warn"), (5_120, "ok")])
def test_room_on_the_disk(mebibytes: int, level: str) -> None:
    assert machine.judged_disk(Path("/data"), mebibytes * 1024 * 1024).level == level


@pytest.mark.parametrize(
    ("version", "changed", "said"),
    [
        (14, {}, "needs 15 or later"),
        (17, {"fsync": "off"}, "has fsync=off"),
        (17, {"full_page_writes": "off"}, "has full_page_writes=off"),
        (17, {"synchronous_commit": "off"}, "has synchronous_commit=off"),
        (17, {"idle_in_transaction_session_timeout": "0"}, "without the pooler"),
    ],
)
def test_a_server_that_breaks_a_promise_fails(version: int, changed: dict[str, str], said: str) -> None:
    (finding,) = databases.judged_server("scoring database", version, GOOD | changed)
    assert finding.level == "fail"
    assert said in finding.sentence


@pytest.mark.parametrize("changed", [{}, {"synchronous_commit": "local"}])
def test_a_server_that_keeps_what_is_committed_is_well(changed: dict[str, str]) -> None:
    assert levels(*databases.judged_server("scoring database", 15, GOOD | changed)) == ["ok"]


@pytest.mark.parametrize(
    ("seconds", "level"), [(0, "ok"), (1.0, "ok"), (1.5, "warn"), (-1.5, "warn"), (31, "fail"), (-31, "fail")]
)
def test_clocks_are_compared_around_the_answer(seconds: float, level: str) -> None:
    at = NOW + timedelta(seconds=seconds)
    assert databases.judged_clock("scoring database", NOW, at, NOW).level == level


def test_a_slow_answer_is_no_wrong_clock() -> None:
    before, after = NOW, NOW + timedelta(seconds=40)
    assert databases.judged_clock("x", before, NOW + timedelta(seconds=20), after).level == "ok"


@pytest.mark.parametrize(
    ("unread", "live", "level"), [(0, 0, "ok"), (5, 2, "ok"), (1, 0, "warn"), (10_001, 1, "warn"), (10_000, 1, "ok")]
)
def test_lag(unread: int, live: int, level: str) -> None:
    assert databases.judged_lag("scoring", unread, live).level == level


def test_records_that_are_gone_or_set_aside() -> None:
    assert databases.judged_records("scoring", 0, 0) == []
    assert levels(*databases.judged_records("scoring", 3, 2)) == ["fail", "warn"]
    of_scoring, of_alerts = (databases.judged_records(name, 0, 2)[0].sentence for name in ("scoring", "alerts"))
    assert "/v1/dead-letters" in of_scoring
    assert "record_set_aside" in of_alerts  # whose letters no path shows
    assert "petla retry" in of_alerts


def test_what_a_service_has_not_read_is_counted_on_every_topic_it_reads() -> None:
    assert set(looks.followed_by("scoring")) == {"feedback", "activity", "followups", "raw"}
    assert set(looks.followed_by("alerts")) == {"scores", "activity"}


@pytest.mark.parametrize(
    ("dead", "failing", "late", "said"),
    [(0, 0, 59.0, "nothing"), (1, 1, 0.0, "dead"), (0, 2, 99.0, "in vain"), (0, 0, 61.0, "61 s late")],
)
def test_webhooks(dead: int, failing: int, late: float, said: str) -> None:
    finding = databases.judged_webhooks(dead, failing, late)
    assert said in finding.sentence
    assert finding.level == ("ok" if said == "nothing" else "warn")


def test_the_spill() -> None:
    assert levels(*spill.judged(0, 0, 0)) == ["ok"]
    assert levels(*spill.judged(3, 2, 1)) == ["warn", "warn", "warn"]


def test_topics_are_judged_by_what_they_are_for() -> None:
    missing = topics.judged(Cluster(1, {}), [FACTS], production=False)
    assert levels(*missing) == ["fail"]
    assert "python deploy/prepare.py" in missing[0].sentence
    fewer = Cluster(2, {FACTS.name: on_kafka(copies=2)})
    assert levels(*topics.judged(fewer, [FACTS], production=False)) == ["warn"]
    assert levels(*topics.judged(fewer, [FACTS], production=True)) == ["fail"]
    short = Cluster(3, {FACTS.name: on_kafka(retention_ms="1")})
    assert levels(*topics.judged(short, [FACTS], production=False)) == ["fail"]
    assert levels(*topics.judged(Cluster(3, {FACTS.name: on_kafka()}), [FACTS], production=True)) == ["ok"]


def test_partitions_that_lack_a_copy_should_be_looked_at() -> None:
    described = [{"replicas": [1, 2, 3], "isr": [1, 3]}, {"replicas": [1, 2, 3], "isr": [3, 1, 2]}]
    assert lacking([described, described[:1]]) == 2
    assert levels(topics.judged_brokers(Cluster(3, {}))) == ["ok"]
    behind = topics.judged_brokers(Cluster(2, {}, 2))
    assert levels(behind) == ["warn"]
    assert "2 brokers; 2 partitions have fewer copies in sync" in behind.sentence


def test_a_spill_file_that_cannot_be_read_fails(tmp_path: Path) -> None:
    (tmp_path / "spill-1.db").write_bytes(b"not a database, but long enough to be taken for one" * 100)
    assert levels(*spill.looked_at(tmp_path)) == ["fail"]
    assert levels(*spill.looked_at(tmp_path / "missing")) == ["ok"]


def test_folders_that_are_none_fail(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert levels(*spill.looked_at(file)) == ["fail"]
    for data in (file, file / "below"):
        assert levels(machine.data_folder(Settings(data=data))) == ["fail"]
    assert levels(machine.data_folder(Settings(data=tmp_path / "missing"))) == ["ok"]
