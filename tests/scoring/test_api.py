"""What anybody may ask of scoring over HTTP: the answers, and a clear refusal for every wrong question."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest

from services.scoring.app import ScoringService, build
from services.scoring.metrics.registry import METRICS
from services.scoring.settings import ScoringSettings
from shared.access import create_key
from shared.config import ConfigStore
from shared.log.memory import MemoryLog
from shared.log.port import NewRecord
from tests.builders import activity, answer, fact_of, retraction
from tests.conftest import MakeDatabase
from tests.scoring.world import HeldClock

NOVEMBER = {"from": "2026-11-01", "to": "2026-12-01"}


class Api:
    def __init__(self, service: ScoringService, log: MemoryLog, config: ConfigStore) -> None:
        self.service, self.log, self.config = service, log, config
        self.key = ""

    async def get(self, path: str, params: Any = None, key: str | None = None) -> httpx.Response:
        transport = httpx.ASGITransport(self.service.app)
        headers = {"Authorization": f"Bearer {self.key if key is None else key}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://scoring") as client:
            return await client.get(path, params=params, headers=headers)

    async def metric(self, metric: str, **params: Any) -> dict[str, Any]:
        response = await self.get(f"/v1/metrics/{metric}", NOVEMBER | params)
        assert response.status_code == 200, response.text
        return dict(response.json())

    async def refusal(self, path: str, params: Any = None, key: str | None = None) -> dict[str, Any]:
        response = await self.get(path, params, key)
        assert response.headers["content-type"] == "application/problem+json", response.text
        return {"status": response.status_code, **response.json()}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


RECORDS = [
    answer("p1", 10, channel="email", campaign="spring", time=at("2026-11-02T10:00:00+01:00")),
    answer("p2", 9, channel="sms", time=at("2026-11-02T23:30:00+01:00")),
    answer("p3", 9, channel="web", time=at("2026-11-03T10:00:00+01:00")),
    answer("d1", 3, channel="email", time=at("2026-11-03T10:00:00+01:00")),
    answer("gone", 0, channel="email", time=at("2026-11-03T11:00:00+01:00")),
    retraction("gone"),
    answer("october", 8, time=at("2026-10-25T02:30:00+01:00")),  # the second half past two of that night
    answer("october2", 2, time=at("2026-10-25T23:59:59+01:00")),
    answer("five", 5, metric="csat", time=at("2026-11-05T10:00:00+01:00")),
    answer("seven", 5, metric="csat", scale_max=7, time=at("2026-11-05T10:00:00+01:00")),
    answer("clash", 10, metric="rating", scale_max=10, time=at("2026-11-05T10:00:00+01:00")),
    answer("clash", 1, metric="rating", scale_max=10, time=at("2026-11-05T10:00:00+01:00")),
    *(NewRecord("petla.feedback", b"", b"garbage %d" % number) for number in range(5)),
    activity("delivery.completed.v1", "c1", order_id="o1", completed_at="2026-11-05T10:00:00+01:00"),
]


@pytest.fixture(scope="module")
async def api(database: MakeDatabase) -> AsyncIterator[Api]:
    settings = ScoringSettings(partitions=2, timezone="Europe/Warsaw")
    log = MemoryLog(settings.topics())
    config = ConfigStore(log, "petla.config")
    await config.start()
    service = build(settings, log, config, await database("scoring"), HeldClock())
    made = Api(service, log, config)
    made.key = (await create_key(config, "dashboard", ["metrics:read"])).key
    await log.append(RECORDS)
    while await service.run_once():
        pass
    yield made
    await service.stop()
    await config.stop()


async def test_a_metric_carries_everything_it_is_made_of(api: Api) -> None:
    found = await api.metric("nps")
    assert found == {
        "metric": "nps",
        "formula": "nps@1",
        "unit": "points",
        "value": 50.0,
        "n": 4,
        "interval": found["interval"],
        "counts": {"promoter": 3, "passive": 0, "detractor": 1},
        "histogram": {"3": 1, "9": 2, "10": 1},
        "scale": {"min": 0, "max": 10},
        "window": {"from": "2026-10-31T23:00:00Z", "to": "2026-11-30T23:00:00Z", "timezone": "Europe/Warsaw"},
        "filters": {},
        "confidence": 0.95,
        "excluded": {"retracted": 1},
        "provisional_until": None,
    }
    assert found["interval"]["method"] == "adjusted_wald"
    assert found["interval"]["low"] < 50 < found["interval"]["high"]


async def test_every_metric_is_listed_and_answers_without_answers(api: Api) -> None:
    listed = (await api.get("/v1/metrics")).json()["items"]
    assert [item["metric"] for item in listed] == list(METRICS)
    for item in listed:
        found = await api.metric(item["metric"], **{"from": "2020-01-01", "to": "2020-02-01", "granularity": "week"})
        assert (found["value"], found["interval"], found["n"]) == (None, None, 0)
        assert len(found["series"]) == 5
        assert (found["formula"], found["unit"]) == (item["formula"], item["unit"])


async def test_without_a_window_the_last_ninety_days(api: Api) -> None:
    response = await api.get("/v1/metrics/nps")
    window = response.json()["window"]
    assert (window["from"], window["to"]) == ("2026-08-23T22:00:00Z", "2026-11-21T23:00:00Z")


@pytest.mark.parametrize(
    ("params", "n"),
    [
        ({"channel": "email"}, 2),
        ({"channel": ["email", "sms"]}, 3),
        ({"channel": ["email", "sms"], "campaign": "spring"}, 1),
        ({"channel": "nowhere"}, 0),
        ({"source": "shop"}, 4),
        ({"source": "till"}, 0),
    ],
)
async def test_a_repeated_filter_is_either_or_and_two_are_both(api: Api, params: dict[str, Any], n: int) -> None:
    found = await api.metric("nps", **params)
    assert found["n"] == n
    assert found["filters"] == {name: [value] if isinstance(value, str) else value for name, value in params.items()}


async def test_groups_and_those_without_a_value_last(api: Api) -> None:
    found = await api.metric("nps", **{"from": "2026-10-25", "group_by": "channel"})
    assert [(group["key"]["channel"], group["n"]) for group in found["groups"]] == [
        ("email", 2), ("sms", 1), ("web", 1), (None, 2),
    ]  # fmt: skip
    assert all({"value", "n", "interval", "counts"} <= group.keys() for group in found["groups"])
    pairs = await api.metric("nps", group_by="channel,campaign")
    assert [tuple(group["key"].values()) for group in pairs["groups"]][:2] == [("email", "spring"), ("email", None)]


@pytest.mark.parametrize(
    ("zone", "counts"),
    [("Europe/Warsaw", [2, 2]), ("Asia/Tokyo", [1, 3]), ("America/New_York", [2, 2])],
)
async def test_days_are_those_of_the_zone(api: Api, zone: str, counts: list[int]) -> None:
    found = await api.metric("nps", tz=zone, granularity="day", **{"from": "2026-11-02", "to": "2026-11-04"})
    assert [bucket["n"] for bucket in found["series"]] == counts
    assert found["window"]["timezone"] == zone


async def test_the_day_the_clocks_go_back_has_twenty_five_hours(api: Api) -> None:
    found = await api.metric("nps", granularity="day", **{"from": "2026-10-25", "to": "2026-10-26"})
    assert found["window"]["from"] == "2026-10-24T22:00:00Z"
    assert found["window"]["to"] == "2026-10-25T23:00:00Z"
    assert found["n"] == 2


async def test_windows_are_half_open(api: Api) -> None:
    exact = {"from": "2026-11-02T09:00:00Z", "to": "2026-11-02T22:30:00Z"}
    assert (await api.metric("nps", **exact))["n"] == 1
    later = {"from": "2026-11-02T10:00:00.000001+01:00", "to": "2026-11-02T23:30:00.000001+01:00"}
    assert (await api.metric("nps", **later))["n"] == 1


async def test_series_list_empty_buckets_and_are_clipped(api: Api) -> None:
    found = await api.metric("nps", granularity="week", **{"from": "2026-10-28", "to": "2026-11-11"})
    assert [(bucket["from"], bucket["n"]) for bucket in found["series"]] == [
        ("2026-10-27T23:00:00Z", 0),
        ("2026-11-01T23:00:00Z", 4),
        ("2026-11-08T23:00:00Z", 0),
    ]
    assert found["series"][0]["value"] is None
    assert found["series"][-1]["to"] == "2026-11-10T23:00:00Z"


async def test_scales_are_never_pooled(api: Api) -> None:
    found = await api.metric("csat")
    assert (found["value"], found["reason"], found["n"]) == (None, "mixed_scales", 2)
    assert [(group["key"]["scale"], group["value"], group["n"]) for group in found["groups"]] == [
        ({"min": 1, "max": 5}, 100.0, 1),
        ({"min": 1, "max": 7}, 0.0, 1),
    ]


async def test_a_comparison_says_whether_it_changed(api: Api) -> None:
    window = {"from": "2026-11-01", "to": "2026-11-08"}
    previous = (await api.metric("nps", compare_to="previous", **window))["comparison"]
    assert previous["window"]["from"] == "2026-10-24T22:00:00Z"
    assert (previous["value"], previous["n"], previous["difference"], previous["changed"]) == (-50.0, 2, 100.0, False)
    assert previous["p"] > 0.05
    named = (await api.metric("nps", compare_to="2026-10-25..2026-10-26", **window))["comparison"]
    assert named["n"] == 2
    nothing = (await api.metric("nps", compare_to="2020-01-01..2020-02-01", **window))["comparison"]
    assert (nothing["difference"], nothing["z"], nothing["p"], nothing["changed"]) == (None, None, None, False)


async def test_confidence_widens_the_interval(api: Api) -> None:
    narrow, wide = await api.metric("nps", confidence=0.5), await api.metric("nps", confidence=0.9999)
    assert narrow["interval"]["low"] > wide["interval"]["low"]
    assert (narrow["confidence"], wide["confidence"]) == (0.5, 0.9999)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"chanel": "email"}, "chanel"),
        ({"From": "2026-01-01"}, "From"),
        ({"group_by": "weather"}, "group_by"),
        ({"group_by": "channel,channel"}, "group_by"),
        ({"group_by": "channel,"}, "group_by"),
        ({"group_by": "channel,store,team,agent,product"}, "group_by"),
        ({"granularity": "hour"}, "granularity"),
        ({"from": "2026-02-30"}, "from"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-11-20T10:00:00"}, "from"),
        ({"from": "2026-12-02"}, "from"),
        ({"from": "1900-01-01"}, "from"),
        ({"to": "9999-12-31"}, "to"),
        ({"tz": "Mars/Olympus"}, "tz"),
        ({"tz": "../../etc/passwd"}, "tz"),
        ({"confidence": "0.4"}, "confidence"),
        ({"confidence": "1"}, "confidence"),
        ({"confidence": "nan"}, "confidence"),
        ({"confidence": "very"}, "confidence"),
        ({"compare_to": "before"}, "compare_to"),
        ({"compare_to": "2026-01-02..2026-01-01"}, "compare_to"),
        ({"from": "1971-01-01", "granularity": "day"}, "granularity"),
        ({"channel": ""}, "channel.0"),
        ({"channel": "x" * 257}, "channel.0"),
    ],
)
async def test_a_wrong_question_is_refused_by_its_parameter(api: Api, params: dict[str, str], field: str) -> None:
    refused = await api.refusal("/v1/metrics/nps", NOVEMBER | params)
    assert refused["status"] == 422
    assert [error["field"] for error in refused["errors"]] == [field]
    assert refused["detail"]


@pytest.mark.parametrize("params", [{"campaign": "spring"}, {"group_by": "team"}, {"language": ["pl", "en"]}])
async def test_a_dimension_that_the_metric_lacks_is_refused(api: Api, params: dict[str, Any]) -> None:
    refused = await api.refusal("/v1/metrics/late_delivery", NOVEMBER | params)
    assert refused["status"] == 422
    assert "store, channel, source" in refused["detail"]


@pytest.mark.parametrize("metric", ["NPS", "comment", "nps'--", "x" * 500])
async def test_an_unknown_metric_is_not_found(api: Api, metric: str) -> None:
    refused = await api.refusal(f"/v1/metrics/{metric}")
    assert (refused["status"], refused["code"]) == (404, "unknown_metric")


@pytest.mark.parametrize("value", ["\0", "a\0b", "\x1b[31m", "'; DROP TABLE feedback; --", "%", "💥", "ż" * 256])
@pytest.mark.parametrize("dimension", ["channel", "campaign"])
async def test_no_value_of_a_filter_is_our_mistake(api: Api, dimension: str, value: str) -> None:
    response = await api.get("/v1/metrics/nps", {dimension: value})
    assert response.status_code in (200, 422)
    if response.status_code == 200:
        assert response.json()["n"] == 0


async def test_an_answer_as_it_stands(api: Api) -> None:
    found = (await api.get(f"/v1/feedback/{fact_of('clash')}")).json()
    assert found == {
        "id": fact_of("clash"), "feedback_id": "clash", "source": "shop", "metric": "rating", "score": 10,
        "group": "positive", "revision": 0, "retracted": False, "conflicts": 1, "time": "2026-11-05T09:00:00Z",
        "received_at": "2026-11-20T10:00:00Z", "followup": None,
    }  # fmt: skip
    taken_back = (await api.get(f"/v1/feedback/{fact_of('gone')}")).json()
    assert (taken_back["retracted"], taken_back["revision"], taken_back["score"]) == (True, 1, 0)


@pytest.mark.parametrize("id_", [fact_of("never sent"), "no-uuid", "1", "é"])
async def test_an_unknown_answer_is_not_found(api: Api, id_: str) -> None:
    assert (await api.refusal(f"/v1/feedback/{id_}"))["status"] == 404


async def test_dead_letters_come_page_by_page(api: Api) -> None:
    seen: list[tuple[Any, ...]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await api.get("/v1/dead-letters", {"limit": 2, **cursor})).json()
        assert page["total"] == 6
        assert 0 < len(page["items"]) <= 2
        seen += [(item["topic"], item["partition"], item["offset"]) for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert len(seen) == len(set(seen)) == 6
    conflicts = (await api.get("/v1/dead-letters", {"kind": "conflict"})).json()
    (item,) = conflicts["items"]
    assert (item["kind"], item["reason"], item["id"], item["source"]) == (
        "conflict", "conflict", fact_of("clash"), "shop",
    )  # fmt: skip
    full = (await api.get("/v1/dead-letters", {"limit": 6})).json()
    assert full["next_cursor"] is None


def forged(**changed: Any) -> str:
    place = {"at": "2026-11-20T10:00:00Z", "topic": "t", "incarnation": "i", "partition": 0, "log_offset": 0}
    return base64.urlsafe_b64encode(msgspec.json.encode(list((place | changed).values()))).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "ż",
        "AAAA",
        "bnVsbA==",
        forged(at="2026-11-20T10:00:00"),
        forged(at="0001-01-01T00:00:00+14:00"),
        forged(topic="a\0b"),
        forged(partition=2**40),
        forged(log_offset=2**70),
        forged(log_offset=-1),
        forged(partition="0"),
        forged(extra=1),
        forged(at="2026-11-20T10:00:00Z") + "AAAA",
    ],
)
async def test_a_forged_cursor_is_refused(api: Api, cursor: str) -> None:
    refused = await api.refusal("/v1/dead-letters", {"cursor": cursor})
    assert (refused["status"], refused["code"]) == (422, "invalid_cursor")


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 201}, {"limit": "many"}, {"kind": "other"}, {"page": 2}])
async def test_a_wrong_page_is_refused(api: Api, params: dict[str, Any]) -> None:
    assert (await api.refusal("/v1/dead-letters", params))["status"] == 422


PATHS = ["/v1/metrics", "/v1/metrics/nps", f"/v1/feedback/{fact_of('p1')}", "/v1/dead-letters", "/v1/reconciliation"]


@pytest.mark.parametrize("path", PATHS)
async def test_numbers_are_for_keys_that_may_read_them(api: Api, path: str) -> None:
    writer = await create_key(api.config, "till", ["events:write"])
    admin = await create_key(api.config, "owner", ["admin"])
    assert (await api.get(path, key=admin.key)).status_code == 200
    assert (await api.refusal(path, key=writer.key))["status"] == 403
    assert (await api.refusal(path, key="petla_nobody_x"))["status"] == 401
    assert (await api.refusal(path, key=""))["status"] == 401


async def test_the_reconciliation(api: Api) -> None:
    found = (await api.get("/v1/reconciliation")).json()
    assert found["topics"]["petla.feedback"]["rejected"] == {"undecodable": 5}
    assert found["feedback"] == {"scored": 9, "retracted": 1, "superseded": 1}
    assert found["detractors"]["missing"] == 2
    assert datetime.fromisoformat(found["as_of"]["at"]).tzinfo == UTC


async def test_a_log_that_is_away_is_503_for_what_needs_it(api: Api) -> None:
    api.log.unavailable = "away"
    try:
        refused = await api.get("/v1/reconciliation")
        metric = await api.get("/v1/metrics/nps", NOVEMBER)
    finally:
        api.log.unavailable = None
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert metric.status_code == 200


async def test_readiness_shows_what_the_worker_stopped_for(api: Api) -> None:
    assert (await api.get("/readyz")).json()["checks"]["consumer"] == "ok"
    api.service.worker.problem = "stopped: 51 records in a row"
    try:
        response = await api.get("/readyz")
    finally:
        api.service.worker.problem = None
    assert response.status_code == 503
    assert response.json()["checks"]["consumer"] == "stopped: 51 records in a row"
