"""Single records: an answer as it stands, and page by page what was set aside."""

import base64
from typing import Any

import msgspec
import pytest

from tests.builders import fact_of
from tests.scoring.asked import Api


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
    assert (refused["status"], refused["code"], refused["errors"][0]["field"]) == (422, "invalid_cursor", "cursor")


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 201}, {"limit": "many"}, {"kind": "other"}, {"page": 2}])
async def test_a_wrong_page_is_refused(api: Api, params: dict[str, Any]) -> None:
    assert (await api.refusal("/v1/dead-letters", params))["status"] == 422
