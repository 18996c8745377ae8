"""A wrong question is refused by its parameter and says what to change; none is answered as if it were another."""

from typing import Any

import pytest

from tests.scoring.asked import NOVEMBER, Api


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
