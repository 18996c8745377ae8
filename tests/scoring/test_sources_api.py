"""`GET /v1/sources…` over HTTP: the shape that the OpenAPI document shows, and who may ask."""

from typing import Any

import pytest
from sqlalchemy import text

from services.scoring import examples
from shared.access import create_key
from tests.scoring.asked import Api
from tests.scoring.delivered import delivery, made, stranger


@pytest.fixture
async def shop(api: Api) -> Api:
    """The module's; what it is told a second time is known."""
    await api.log.append([delivery("one", made("a")), delivery("two", made("a")), stranger("three")])
    await api.config.put("source/quiet", {"version": 1})
    await api.config.put("source/removed", {"version": 1, "deleted": True})
    while await api.service.run_once():
        pass
    return api


async def test_every_source_with_its_numbers(shop: Api) -> None:
    found = (await shop.get("/v1/sources")).json()
    assert [(one["name"], one["state"], one["received"]) for one in found["items"]] == [
        ("quiet", "waiting", 0),
        ("repairs", "silent", 3),
    ]
    assert found["window"] == {"from": "2026-11-15", "to": "2026-11-22", "timezone": "Europe/Warsaw"}
    assert shape(found["items"][1]) == shape(examples.SOURCES["items"][0])
    assert found["items"][1]["rejected"] == {"bad_signature": 1}


async def test_one_source_with_its_days_and_its_newest_deliveries(shop: Api) -> None:
    found = (await shop.get("/v1/sources/repairs", {"from": "2026-11-20", "to": "2026-11-21"})).json()
    assert shape(found) == shape(examples.SOURCE)
    assert found["days"] == [{name: found.get(name, "2026-11-20") for name in examples.SOURCE["days"][0]}]
    kept = {each["outcome"]: (each["kept"], each["status"]) for each in found["deliveries"]}
    assert kept == {"accepted": (True, 202), "duplicate": (True, 202), "rejected": (False, 401)}


def shape(answer: dict[str, Any]) -> dict[str, Any]:
    """Names and kinds; of a list, those of its first item."""
    return {
        name: shape(value[0]) if isinstance(value, list) else (value if value is None else type(value).__name__)
        for name, value in answer.items()
        if name not in ("reason",)
    }


def test_the_numbers_that_are_shown_add_up() -> None:
    shown = examples.SOURCES["items"][0]
    parts = shown["accepted"] + shown["duplicates"] + shown["conflicts"]
    assert shown["received"] == parts + sum(shown["ignored"].values()) + sum(shown["rejected"].values())


async def test_a_source_that_was_only_added_is_known_and_others_are_not(shop: Api) -> None:
    quiet = (await shop.get("/v1/sources/quiet")).json()
    assert (quiet["state"], quiet["last_seen"], quiet["last_error"], quiet["deliveries"]) == ("waiting", None, None, [])
    for name in ("removed", "nobody", "é", "%00"):
        assert (await shop.refusal(f"/v1/sources/{name}"))["status"] in (404, 422)


@pytest.mark.parametrize(
    "params",
    [
        {"from": "2026-11-21", "to": "2026-11-21"},
        {"from": "9999-12-31", "to": "0001-01-01"},
        {"from": "0001-01-01"},
        {"to": "0001-01-02"},
        {"from": "yesterday"},
        {"to": "0"},
        {"to": "20261120"},
        {"to": "2026-11-20T00:00:00Z"},
        {"days": 3},
    ],
)
async def test_days_that_are_none_are_refused(shop: Api, params: dict[str, Any]) -> None:
    for path in ("/v1/sources", "/v1/sources/repairs"):
        refused = await shop.refusal(path, params)
        assert refused["status"] == 422
        assert refused["errors"][0]["field"] in {*params, "from"}


async def test_what_was_said_cannot_be_guessed_from_what_is_kept(shop: Api) -> None:
    """A digest of a few words is soon found by trying words; with the deployment's secret in it, it is not."""
    async with shop.service._db.snapshot() as tx:
        kept = [bytes(content) for (content,) in await tx.execute(text("SELECT content FROM source_fact"))]
    assert len(kept) == 1
    assert bytes.fromhex(made("a").digest) not in kept


async def test_who_may_ask(shop: Api) -> None:
    sender = (await create_key(shop.config, "till", ["events:write"])).key
    for path in ("/v1/sources", "/v1/sources/repairs"):
        assert (await shop.refusal(path, key=sender))["status"] == 403
        assert (await shop.refusal(path, key=""))["status"] == 401
