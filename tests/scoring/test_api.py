"""What anybody may ask of scoring over HTTP, and what it says of itself."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.scoring.metrics.registry import METRICS
from shared.access import create_key
from tests.builders import fact_of
from tests.scoring.asked import NOVEMBER, Api


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
