"""A delivery that came is mapped again by today's document: for programs and in a browser, and nothing comes of it."""

import base64
from typing import Any

import httpx
import pytest

from shared.erasure.names import Names
from shared.erasure.requests import Requests
from tests.ingest.running import assert_problem
from tests.ingest.webhooks.doors import BODY, REPAIRS, Doors

HTML = {"Accept": "text/html,application/xhtml+xml"}


async def place(doors: Doors, at: int = -1) -> str:
    """The path of the dry run of a delivery, as it lies on the log."""
    found = []
    for number, (start, end) in (await doors.log.bounds("petla.raw")).items():
        found += [(number, offset) for offset in range(start, end)]
    event = doors.raw()[at]
    (number, offset) = found[at]
    return f"/v1/sources/repairs/deliveries/{number}/{offset}/dry-run?id={event.factid}"


async def tried(doors: Doors, path: str, key: str | None = None, **headers: str) -> httpx.Response:
    sent = {"Authorization": f"Bearer {key or await doors.new_key('ops', 'admin')}", **headers}
    return await doors.request("POST", path, headers=sent)


async def test_what_would_become_of_it(doors: Doors) -> None:
    await doors.deliver()
    before = len(doors.events()), len(doors.raw())
    told = (await tried(doors, await place(doors))).json()
    assert (told["verified"], told["verification"], told["outcome"], told["errors"]) == (True, [], "accepted", [])
    assert [rule["holds"] for rule in told["rules"]] == [False, True]
    assert [event["data"]["score"] for event in told["events"]] == [2, 5]
    assert (len(doors.events()), len(doors.raw())) == before


async def test_it_is_the_document_of_today(doors: Doors) -> None:
    await doors.deliver()
    path = await place(doors)
    await doors.add("repairs", REPAIRS.replace("score: item.stars", "score: \"number('much')\""), version=2)
    told = (await tried(doors, path)).json()
    assert (told["version"], told["outcome"], told["reason"], len(told["errors"])) == (
        2,
        "rejected",
        "mapping_failed",
        2,
    )


async def test_what_is_not_kept_is_not_found(doors: Doors) -> None:
    await doors.deliver()
    await doors.deliver(BODY | {"event": "else"}, secret="of a stranger")
    good, stranger = [await place(doors, at) for at in sorted(range(2), key=lambda at: not doors.deliveries()[at].body)]
    assert (await tried(doors, good)).status_code == 200
    elsewhere = good.replace("/deliveries/", "/deliveries/9")
    other = good.rpartition("=")[0] + "=00000000-0000-8000-8000-000000000000"
    for path in (stranger, elsewhere, other, good.replace("/repairs/", "/generic/")):
        assert_problem(await tried(doors, path), 404, "not_kept")
    beyond = good.replace("/dry-run", "999/dry-run")
    assert_problem(await tried(doors, beyond), 404, "not_kept")
    assert_problem(await tried(doors, good.replace("/deliveries/", "/deliveries/-")), 422, "invalid_request")


async def test_what_an_erased_person_left_on_the_log_is_not_shown(doors: Doors) -> None:
    await doors.deliver()
    doors.clock.advance(1)
    await Requests(doors.config, Names(doors.sealing)).ask("9", doors.clock.now())
    assert_problem(await tried(doors, await place(doors)), 404, "not_kept")
    page = await tried(doors, await place(doors), **HTML)
    assert (page.status_code, "Za długo" in page.text) == (404, False)

    doors.clock.advance(1)
    await doors.deliver(BODY | {"changed": "2026-11-20T11:00:00+01:00"})  # who came back
    newest = max(range(2), key=lambda at: doors.raw()[at].receivedat)
    assert (await tried(doors, await place(doors, newest))).status_code == 200


@pytest.mark.parametrize(("language", "words"), [("pl", "Reguła 2 z 2 pasuje"), ("en", "Rule 2 of 2 holds")])
async def test_a_browser_gets_a_page(doors: Doors, language: str, words: str) -> None:
    await doors.deliver(BODY | {"event": "repair.rated", "answers": [{"question": "q<1", "stars": 2}]})
    answer = await tried(doors, f"{await place(doors)}&lang={language}", **HTML)
    assert (answer.status_code, answer.headers["content-language"]) == (200, language)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert words in answer.text
    assert "q&lt;1" in answer.text
    gone = await tried(doors, (await place(doors))[:-1] + f"&lang={language}", **HTML)
    assert (gone.status_code, gone.headers["content-type"]) == (404, "text/html; charset=utf-8")


async def test_the_page_s_files_are_at_ingest_s_own_address(doors: Doors) -> None:
    await doors.deliver()
    page = (await tried(doors, await place(doors), **HTML)).text
    address = page.partition("trial.css")[0].rpartition('"')[2] + "trial.css"
    assert address.startswith("/ingest/static/")
    assert (await doors.request("GET", address.removeprefix("/ingest"))).headers["content-type"].startswith("text/css")


async def test_an_administrator_s_key_is_needed_and_a_browser_is_asked_for_it(doors: Doors) -> None:
    await doors.deliver()
    path = await place(doors)
    reader, admin = await doors.new_key("board", "metrics:read"), await doors.new_key("ops", "admin")
    assert_problem(await tried(doors, path, reader), 403, "missing_scope")
    for headers, challenge in (({}, "Bearer"), (HTML, "Basic")):
        refused = await doors.request("POST", path, headers=headers)
        assert_problem(refused, 401, "no_key")
        assert refused.headers["www-authenticate"].startswith(challenge)
    for name in ("", "anna"):
        assert (await doors.request("POST", path, headers=HTML | basic(name, admin))).status_code == 200
    for wrong in (basic("", "petla_x_y"), basic(admin, ""), {"Authorization": "Basic !"}, {"Authorization": "Basic"}):
        assert (await doors.request("POST", path, headers=HTML | wrong)).status_code == 401
    # Where something is changed, a password that a browser sends by itself is no key.
    assert (await doors.request("DELETE", "/v1/sources/repairs", headers=HTML | basic("", admin))).status_code == 401


def basic(name: str, password: str) -> dict[str, Any]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}
