"""A real marketplace through the public door, on the embedded default and on Kafka with a PostgreSQL of its own.

Its known figures, from both alike; the same files a second time; and what a process may weigh after it.

The counts are those of the published files (the sample of 15,000 orders); mean and interval are scipy's.
"""

import json
import shutil
import statistics
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from scipy import stats

from tests.e2e.client import Client, usable_key
from tests.e2e.processes import PROJECT, Installation, Server, material, temporary_installation
from tests.kafka import Kafka
from tests.postgres_server import operators_server

STARS = {"1": 1701, "2": 478, "3": 1281, "4": 2887, "5": 8597}
ANSWERS = 14_944
DETRACTORS = 1701 + 478
WINDOW = {"from": "2016-01-01", "to": "2019-01-01"}
MEGABYTE = 1_000_000
SEPARATE_LIMIT, TOGETHER_LIMIT = 250 * MEGABYTE, 500 * MEGABYTE

pytestmark = pytest.mark.slow


@dataclass
class Imported:
    """What runs, a client of each port, and what the imports said."""

    servers: list[Server]
    scoring: Client
    alerts: Client
    said: dict[str, list[dict[str, Any]]]

    def read(self, topic: str) -> dict[str, Any]:
        """What the reconciliation counted of it."""
        topics = self.scoring.settled()["topics"]
        return dict(next(counted for name, counted in topics.items() if name.endswith(f".{topic}")))


@pytest.fixture(scope="module", params=["embedded", "kafka"])
def place(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The environment of what an installation stands on."""
    if request.param == "embedded":
        yield {}
        return
    kafka: Kafka = request.getfixturevalue("kafka")
    with operators_server() as postgres:
        postgres.start()
        yield {"KAFKA_BOOTSTRAP_SERVERS": kafka.connection.servers, "DATABASE_URL": postgres.url}


def named(place: dict[str, str], name: str) -> dict[str, str]:
    """With topics and databases of its own, where others use the same broker and server."""
    if not place:
        return {}
    return {**place, "PETLA_TOPIC_PREFIX": f"{name}-{uuid.uuid4().hex[:12]}.", "PETLA_DATABASE_PREFIX": f"{name}_"}


def copies(folder: Path) -> dict[str, Path]:
    """Progress and errors are written beside the file: never beside the original."""
    olist = material("data", "olist")
    if olist is None:
        pytest.skip("the Olist files are not beside the project")
    return {name: Path(shutil.copy(olist / f"{name}_union.csv.gz", folder)) for name in ("reviews", "orders")}


def run_import(installation: Installation, name: str, file: Path, url: str, key: str) -> dict[str, Any]:
    mapping = PROJECT / "examples" / "olist" / f"{name}.yaml"
    begun = time.monotonic()
    words = ["import", str(file), "--mapping", str(mapping), "--url", url, "--key", key, "--json"]
    done = installation.command(*words, seconds=180)
    assert done.returncode == 0, done.stderr + installation.complaints()
    said = dict(json.loads(done.stdout.splitlines()[-1]))
    seconds = time.monotonic() - begun
    print(f"\n{name}: {said['accepted']} events of {said['rows']} rows in {seconds:.1f} s,"
          f" {said['accepted'] / seconds:.0f} events/s")  # fmt: skip
    return said


@pytest.fixture(scope="module")
def together(place: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    """`petla up` without a limit of age; both files, twice."""
    files = copies(tmp_path_factory.mktemp("olist"))
    with temporary_installation(**named(place, "together"), ALERTS_MAX_FEEDBACK_AGE_DAYS="0") as installation:
        server = installation.up()
        key = usable_key(installation, server.url, source="olist")
        with Client(server.url, key) as client:
            said: dict[str, list[dict[str, Any]]] = {"reviews": [], "orders": []}
            for name in (*files, *files):
                said[name].append(run_import(installation, name, files[name], server.url, key))
            client.settled()
            yield Imported([server], client, client, said)


@pytest.fixture(scope="module")
def apart(place: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    """Three processes on one data folder, a follow-up's age limited as by default; the reviews, once."""
    files = copies(tmp_path_factory.mktemp("olist"))
    with temporary_installation(**named(place, "apart")) as installation:
        ingest, scoring, alerts = (installation.start(name) for name in ("ingest", "scoring", "alerts"))
        for server in (ingest, scoring, alerts):
            server.wait_ready()
        key = usable_key(installation, ingest.url, source="olist")
        with Client(scoring.url, key) as scores, Client(alerts.url, key) as followups:
            said = run_import(installation, "reviews", files["reviews"], ingest.url, key)
            scores.settled()
            yield Imported([ingest, scoring, alerts], scores, followups, {"reviews": [said]})


def test_both_runs_of_an_import_say_the_same(together: Imported) -> None:
    first, again = together.said["reviews"]
    assert first == again
    assert (first["sent"], first["accepted"], first["rejected"]) == (ANSWERS, ANSWERS, 0)
    first, again = together.said["orders"]
    assert first == again
    assert first["rejected"] == 0


def test_the_ratings_are_those_of_the_file(together: Imported) -> None:
    rating = together.scoring.get("/v1/metrics/rating", **WINDOW)
    assert rating["histogram"] == STARS
    assert rating["n"] == ANSWERS
    assert rating["counts"] == {"positive": 11_484, "neutral": 1281, "detractor": DETRACTORS}
    assert rating["value"] == pytest.approx(4.0841, abs=0.00005)


def test_mean_and_interval_are_those_of_an_independent_library(together: Imported) -> None:
    rating = together.scoring.get("/v1/metrics/rating", **WINDOW)
    answers = np.repeat([int(star) for star in STARS], list(STARS.values()))
    low, high = stats.t.interval(0.95, len(answers) - 1, loc=answers.mean(), scale=stats.sem(answers))
    assert rating["value"] == pytest.approx(statistics.fmean(answers.tolist()), abs=1e-12)
    assert rating["interval"]["low"] == pytest.approx(low, abs=1e-9)
    assert rating["interval"]["high"] == pytest.approx(high, abs=1e-9)


def test_late_deliveries_are_judged_by_the_local_date(together: Imported) -> None:
    late = together.scoring.get("/v1/metrics/late_delivery", **WINDOW)
    assert (late["counts"], late["n"]) == ({"late": 957, "on_time": 13_595}, 14_552)
    assert late["value"] == pytest.approx(100 * 957 / 14_552, abs=1e-12)
    wilson = stats.binomtest(957, 14_552).proportion_ci(0.95, method="wilson")
    assert late["interval"]["low"] == pytest.approx(100 * wilson.low, abs=1e-9)


def test_without_a_limit_of_age_every_detractor_has_a_follow_up(together: Imported) -> None:
    assert together.alerts.followups() == DETRACTORS
    assert together.scoring.settled()["detractors"] == {
        "total": DETRACTORS, "followups": DETRACTORS, "suppressed": {}, "missing": 0,
    }  # fmt: skip


def test_the_second_import_was_read_as_duplicates(together: Imported) -> None:
    feedback, activity = together.read("feedback"), together.read("activity")
    assert (feedback["read"], feedback["new"], feedback["duplicates"]) == (2 * ANSWERS, ANSWERS, ANSWERS)
    assert (feedback["conflicts"], feedback["rejected"], feedback["lost"]) == (0, {}, 0)
    assert activity["new"] == activity["duplicates"] == together.said["orders"][0]["accepted"]
    assert together.scoring.settled()["balanced"]


def test_old_feedback_is_scored_and_its_follow_ups_are_suppressed(apart: Imported) -> None:
    assert apart.scoring.get("/v1/metrics/rating", **WINDOW)["histogram"] == STARS
    assert apart.alerts.followups() == 0
    found = apart.scoring.settled()
    assert found["detractors"] == {
        "total": DETRACTORS, "followups": 0, "suppressed": {"too_old": DETRACTORS}, "missing": 0,
    }  # fmt: skip
    assert found["balanced"]


def test_no_process_outgrows_its_budget(apart: Imported, together: Imported) -> None:
    for limit, servers in ((SEPARATE_LIMIT, apart.servers), (TOGETHER_LIMIT, together.servers)):
        for server in servers:
            resident = psutil.Process(server.process.pid).memory_info().rss
            print(f"\n{server.service or 'petla up'}: {resident / MEGABYTE:.0f} MB of {limit / MEGABYTE:.0f} MB")
            assert resident < limit, server.service or "petla up"
