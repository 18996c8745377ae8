"""Sources are added, changed, rotated and removed through the API; nothing is in force that was refused."""

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.ingest.mapping import MappingError
from services.ingest.webhooks.registry import Sources
from services.ingest.webhooks.stored import PREFIX
from shared.events.catalogue import ACCEPTED_TYPES
from tests.ingest.running import assert_problem
from tests.ingest.webhooks.doors import BODY, REPAIRS, SECRET, Doors

OTHER = "another secret of the shop"


class Admin:
    def __init__(self, doors: Doors, key: str) -> None:
        self._doors = doors
        self._headers = {"Authorization": f"Bearer {key}"}

    async def __call__(self, method: str, path: str = "", json: Any = None) -> httpx.Response:
        return await self._doors.request(method, f"/v1/sources{path}", json=json, headers=self._headers)


@pytest.fixture
async def admin(doors: Doors) -> Admin:
    return Admin(doors, await doors.new_key("ops", "admin"))


@pytest.fixture
async def empty(doors: Doors, admin: Admin) -> Doors:
    """Without any source that was added."""
    await admin("DELETE", "/repairs")
    return doors


async def test_a_source_is_added_and_takes_deliveries(empty: Doors, admin: Admin) -> None:
    added = await admin("POST", "", {"name": "repairs", "document": REPAIRS, "secret": OTHER})
    assert added.status_code == 201
    assert added.json() == {
        "name": "repairs",
        "address": "https://petla.example.com/webhooks/repairs",
        "origin": "api",
        "version": 2,  # one was removed: what comes now is newer
        "secrets": 2,  # of the environment, and this one
        "about": "",
        "secret": None,
    }
    assert (await empty.deliver(secret=OTHER)).status_code == 202
    assert (await empty.deliver(secret=SECRET)).status_code == 202
    assert_problem(await admin("POST", "", {"name": "repairs", "document": REPAIRS}), 409, "exists")


async def test_a_secret_is_nowhere_in_the_configuration(doors: Doors, admin: Admin) -> None:
    await admin("PUT", "/repairs", {"secret": OTHER})
    kept = json.dumps(doors.config.get(PREFIX + "repairs"))
    assert OTHER not in kept
    assert base64.b64encode(OTHER.encode()).decode() not in kept
    assert (await doors.deliver(secret=OTHER)).status_code == 202


async def test_versions_rise_with_every_change_and_over_a_removal(doors: Doors, admin: Admin) -> None:
    async def version(document: str) -> int:
        return int((await admin("PUT", "/repairs", {"document": document})).json()["version"])

    changed = REPAIRS.replace("'csat'", "'rating'")
    assert [await version(REPAIRS), await version(changed), await version(changed), await version(REPAIRS)] == [
        1,
        2,
        2,
        3,
    ]
    assert await version(changed.replace("version: 1", "version: 40")) == 40
    assert (await admin("DELETE", "/repairs")).status_code == 204
    assert (await doors.deliver()).status_code == 404
    assert await version(REPAIRS) == 41
    await doors.config.put(PREFIX + "repairs", {"version": 999, "document": REPAIRS})
    assert_problem(await admin("PUT", "/repairs", {"document": changed}), 409, "too_many_versions")


async def test_after_a_rotation_both_secrets_hold_for_two_days(empty: Doors, admin: Admin) -> None:
    document = REPAIRS.replace("repairs", "rotated")
    await admin("POST", "", {"name": "rotated", "document": document, "secret": OTHER})
    rotated = await admin("POST", "/rotated/rotate", {})
    new = rotated.json()["secret"]
    assert len(new) >= 43
    for secret in (OTHER, new):
        assert (await empty.deliver(source="rotated", secret=secret)).status_code == 202
    empty.clock.advance(48 * 3600 + 1)
    assert_problem(await empty.deliver(source="rotated", secret=OTHER), 401, "bad_signature")
    assert (await empty.deliver(source="rotated", secret=new)).status_code == 202
    chosen = await admin("POST", "/rotated/rotate", {"secret": SECRET})
    assert chosen.json()["secret"] is None
    assert (await empty.deliver(source="rotated", secret=SECRET)).status_code == 202


async def test_a_source_like_a_built_in_one_has_its_own_name_and_secret(doors: Doors, admin: Admin) -> None:
    made = await admin("POST", "", {"name": "crm", "like": "standard-webhooks", "secret": "whsec_" + "A" * 32})
    assert (made.status_code, made.json()["origin"]) == (201, "api")
    body = {"type": "feedback.received.v1", "data": {"metric": "nps", "score": 1}}
    tried = await admin("POST", "/crm/dry-run", {"body": json.dumps(body), "headers": {"Webhook-Id": "m-1"}})
    assert [event["source"] for event in tried.json()["events"]] == ["/crm"]


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ({"document": REPAIRS.replace("event ==", "event = ")}, "invalid_document", "line 9"),
        ({"document": REPAIRS.replace("scheme: hmac", "scheme: hmca")}, "invalid_document", "line 4"),
        ({"document": REPAIRS.replace("source: repairs", "source: other")}, "invalid_document", "not 'repairs'"),
        ({"document": "x" * 300_000}, "invalid_request", "262144"),
        ({"document": REPAIRS, "like": "generic"}, "document_or_like", "not both"),
        ({"like": "nothing"}, "unknown_source", "nothing"),
        ({"secret": ""}, "invalid_request", "secret"),
        ({"unknown": 1}, "invalid_request", "unknown"),
    ],
)
async def test_what_cannot_be_in_force_is_refused(
    admin: Admin, doors: Doors, given: Any, code: str, words: str
) -> None:
    response = await admin("PUT", "/repairs", given)
    assert (response.status_code, response.json()["code"]) == (404 if code == "unknown_source" else 422, code)
    assert words in response.text
    assert (await doors.deliver()).status_code == 202


async def test_a_secret_must_fit_a_scheme(admin: Admin) -> None:
    response = await admin("PUT", "/standard-webhooks", {"secret": "whsec_not base64!"})
    assert_problem(response, 422, "unusable_secret")
    assert "not base64!" not in response.text
    for method, path, given in (("PUT", "/generic", {"secret": "anything"}), ("POST", "/generic/rotate", {})):
        refused = await admin(method, path, given)
        assert_problem(refused, 422, "unusable_secret")
        assert "petla keys create" in refused.text


@pytest.mark.parametrize("name", ["Großes", "a b", "-a", "", "..", "a.b"])
async def test_a_name_stands_in_an_address(admin: Admin, name: str) -> None:
    assert_problem(await admin("POST", "", {"name": name, "document": REPAIRS}), 422, "invalid_name")


@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("PUT", "/a"), ("DELETE", "/a"), ("POST", "/a/dry-run")])
async def test_only_an_admin_may(doors: Doors, method: str, path: str) -> None:
    assert_problem(await doors.request(method, f"/v1/sources{path}"), 401, "no_key")
    lesser = Admin(doors, await doors.new_key("shop", "events:write", "metrics:read", "followups:write"))
    assert_problem(await lesser(method, path), 403, "missing_scope")


async def test_a_dry_run_tells_every_step_and_leaves_nothing(doors: Doors, admin: Admin) -> None:
    before = doors.log.appends
    tried = await admin("POST", "/repairs/dry-run", {"body": json.dumps(BODY), "headers": {"X-Other": "1"}})
    told = tried.json()
    assert (told["verified"], told["outcome"], told["version"]) == (False, "accepted", 1)
    assert [step["ok"] for step in told["verification"][0]] == [True, False, True]
    assert [(rule["does"], rule["holds"], rule["events"]) for rule in told["rules"]] == [
        ("ignore internal_note", False, 0),
        ("feedback.received.v1", True, 2),
    ]
    assert [event["id"] for event in told["events"]] == ["4711-q1", "4711-q2"]
    assert doors.log.appends == before
    assert SECRET not in tried.text


async def test_a_dry_run_of_another_document(doors: Doors, admin: Admin) -> None:
    mended = REPAIRS.replace("    where: item.stars\n", "").replace("version: 1", "version: 7")
    body = base64.b64encode(json.dumps(BODY).encode()).decode()
    tried = await admin("POST", "/repairs/dry-run", {"body_base64": body, "document": mended})
    assert (tried.json()["version"], len(tried.json()["events"])) == (7, 2)
    assert_problem(await admin("POST", "/repairs/dry-run", {"document": "a: ["}), 422, "invalid_document")
    assert_problem(await admin("POST", "/repairs/dry-run", {"body_base64": "?"}), 422, "not_base64")
    assert_problem(await admin("POST", "/nothing/dry-run", {}), 404, "unknown_source")


def in_folder(doors: Doors, folder: Path) -> Sources:
    return Sources(doors.config, doors.sealing, ACCEPTED_TYPES, {}, lambda _: False, folder)


async def test_the_users_folder_goes_before_what_is_built_in(empty: Doors, tmp_path: Path) -> None:
    (tmp_path / "generic.yaml").write_text(REPAIRS.replace("repairs", "generic"))
    (tmp_path / "repairs.yaml").write_text(REPAIRS)
    found = in_folder(empty, tmp_path)
    now = empty.clock.now()
    assert [
        (source.origin, source.document.name) for name in ("generic", "repairs") if (source := found.get(name, now))
    ] == [
        ("folder", "generic"),
        ("folder", "repairs"),
    ]
    assert {"generic", "cloudevents", "standard-webhooks", "repairs"} <= set(found.names())


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("repairs.yaml", REPAIRS.replace("emit:", "emitt:"), "repairs.yaml:26"),
        ("other.yaml", REPAIRS, "name it as its file"),
        ("Other Name.yaml", REPAIRS, "named as its source"),
        ("repairs.yaml", "\xff", "not UTF-8"),
    ],
)
def test_a_mistake_in_the_folder_is_told_at_the_start(
    doors: Doors, tmp_path: Path, file: str, text: str, words: str
) -> None:
    (tmp_path / file).write_bytes(text.encode("latin-1"))
    with pytest.raises(MappingError, match=words):
        in_folder(doors, tmp_path)


async def test_a_document_that_cannot_be_compiled_takes_nothing(doors: Doors) -> None:
    await doors.config.put(PREFIX + "repairs", {"version": 5, "document": "source: repairs\n"})
    assert (await doors.deliver()).status_code == 404
    await doors.config.put(PREFIX + "repairs", {"version": "x"})
    assert (await doors.deliver()).status_code == 404


async def test_a_secret_that_only_the_sender_can_make_is_asked_for(admin: Admin) -> None:
    document = "source: shop\nverify: {scheme: basic}\nrules: [{ignore: all}]\n"
    assert (await admin("PUT", "/shop", {"document": document})).status_code == 200
    assert_problem(await admin("POST", "/shop/rotate", {}), 422, "secret_needed")
