"""What people do to a follow-up over HTTP: states, versions, two at once, and what must be said."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.alerts.running import RunningAlerts
from tests.alerts.world import scored

RESOLVED = {"root_cause": "late delivery", "action": "refunded shipping"}
REACHED = {"channel": "phone", "outcome": "reached"}


def is_problem(response: httpx.Response, status: int, code: str) -> bool:
    body = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    return (response.status_code, body["status"], body["code"]) == (status, status, code) and bool(body["detail"])


async def test_the_way_to_a_close(alerts: RunningAlerts) -> None:
    await alerts.told(scored("low"))
    steps: list[tuple[str, dict[str, Any], str]] = [
        ("claim", {}, "assigned"),
        ("attempt", {"channel": "phone", "outcome": "no_answer"}, "attempted"),
        ("attempt", {"channel": "phone", "outcome": "left_message"}, "attempted"),
        ("comment", {"note": "Oddzwonić po 17"}, "attempted"),
        ("attempt", REACHED, "reached"),
        ("resolve", RESOLVED, "resolved"),
        ("reopen", {}, "assigned"),
        ("reach", {}, "reached"),
        ("resolve", RESOLVED, "resolved"),
    ]
    for version, (action, body, state) in enumerate(steps, start=1):
        response = await alerts.act("low", action, version, **body)
        assert response.status_code == 200, response.text
        answered = response.json()
        assert (answered["state"], answered["version"]) == (state, version + 1)
    assert answered["assignee"] == "anna"
    assert (answered["root_cause"], answered["action"]) == ("late delivery", "refunded shipping")
    kinds = "opened assigned attempted attempted commented attempted resolved reopened reached resolved"
    assert await alerts.kinds("low") == kinds.split()


async def test_a_step_is_an_event_that_names_who_and_what(alerts: RunningAlerts) -> None:
    await alerts.told(scored("low"))
    await alerts.act("low", "claim", 1)
    await alerts.act("low", "attempt", 2, **REACHED)
    await alerts.act("low", "resolve", 3, **RESOLVED)
    await alerts.relay.run_once()

    told = {event["type"]: event["data"] for event in alerts.published()}
    assert told["followup.assigned.v1"]["by"] == "anna"
    attempted = told["followup.attempted.v1"]
    assert (attempted["channel"], attempted["outcome"], attempted["state"]) == ("phone", "reached", "reached")
    resolved = told["followup.resolved.v1"]
    assert (resolved["root_cause"], resolved["action"]) == ("late delivery", "refunded shipping")
    assert resolved["version"] == 4


async def test_t09_of_two_who_act_at_once_one_wins_and_the_other_is_told(alerts: RunningAlerts) -> None:
    await alerts.told(scored("low"))
    answers = await asyncio.gather(
        *(alerts.act("low", "claim", 1, by=person) for person in ("anna", "jan", "ewa")),
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    for lost in (answer for answer in answers if answer.status_code == 409):
        assert is_problem(lost, 409, "stale_version")
        assert lost.json()["current"] == won
    assert await alerts.kinds("low") == ["opened", "assigned"]


@pytest.mark.parametrize(
    ("action", "body"),
    [("attempt", REACHED), ("reach", {}), ("resolve", RESOLVED), ("reopen", {})],
)
async def test_a_step_that_the_state_does_not_allow_is_refused(
    alerts: RunningAlerts, action: str, body: dict[str, Any]
) -> None:
    await alerts.told(scored("low"))
    refused = await alerts.act("low", action, 1, **body)

    assert is_problem(refused, 409, "not_allowed")
    assert refused.json()["current"]["state"] == "new"
    assert await alerts.kinds("low") == ["opened"]


async def test_a_withdrawn_follow_up_takes_comments_only(alerts: RunningAlerts) -> None:
    await alerts.told(scored("low"))
    await alerts.told(scored("low", 1, score=None))

    assert (await alerts.act("low", "claim", 2)).status_code == 409
    assert (await alerts.act("low", "comment", 2, note="Klient cofnął ocenę")).json()["state"] == "withdrawn"


async def test_reopened_means_a_new_deadline_and_no_cause_yet(alerts: RunningAlerts) -> None:
    await alerts.told(scored("low"))
    for version, (action, body) in enumerate([("claim", {}), ("reach", {}), ("resolve", RESOLVED)], start=1):
        await alerts.act("low", action, version, **body)
    await alerts.execute(
        "UPDATE followup SET first_attempt_due = clock_timestamp() - interval '1 d', overdue_at = now()"
    )

    reopened = (await alerts.act("low", "reopen", 4)).json()
    assert reopened["overdue"] is False
    assert (reopened["root_cause"], reopened["action"]) == (None, None)
    assert (await alerts.followup("low"))["overdue_at"] is None
    await alerts.relay.run_once()
    told = {event["type"]: event["data"] for event in alerts.published()}
    assert told["followup.reopened.v1"]["first_attempt_due"] == reopened["first_attempt_due"]


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("claim", {"by": ""}, "by"),
        ("claim", {"by": "x" * 257}, "by"),
        ("claim", {"by": "an\nna"}, "by"),
        ("claim", {"by": "anna\n"}, "by"),
        ("claim", {"by": None}, "by"),
        ("claim", {"version": "1"}, "version"),
        ("claim", {"version": True}, "version"),
        ("claim", {"version": 0}, "version"),
        ("attempt", {"channel": "phone"}, "outcome"),
        ("attempt", {"channel": "phone", "outcome": "shouted"}, "outcome"),
        ("attempt", {"outcome": "reached"}, "channel"),
        ("comment", {}, "note"),
        ("comment", {"note": ""}, "note"),
        ("resolve", {"action": "refunded"}, "root_cause"),
        ("resolve", {"root_cause": "late delivery"}, "action"),
        ("resolve", {"root_cause": "late delivery", "action": ""}, "action"),
    ],
)
async def test_a_body_that_lacks_something_is_refused_by_its_field(
    alerts: RunningAlerts, action: str, body: dict[str, Any], field: str
) -> None:
    await alerts.told(scored("low"))
    refused = await alerts.act("low", action, 1, **body)

    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == [field]


async def test_letters_that_are_none_are_refused(alerts: RunningAlerts) -> None:
    await alerts.told(scored("low"))
    path = f"/v1/followups/{(await alerts.followup('low'))['id']}/claim"
    body = b'{"version": 1, "by": "\\ud800"}'
    refused = await alerts.request("POST", path, "admin", content=body)

    assert refused.status_code == 422


async def test_a_note_may_have_lines_and_any_letter(alerts: RunningAlerts) -> None:
    await alerts.told(scored("low"))
    note = "Zażółć gęślą jaźń\n\tpo 17 🙂"

    assert (await alerts.act("low", "comment", 1, note=note)).status_code == 200
    id_ = (await alerts.followup("low"))["id"]
    assert (await alerts.get(f"/v1/followups/{id_}")).json()["history"][1]["note"] == note


@pytest.mark.parametrize("id_", ["00000000-0000-4000-8000-000000000000", "7", "x" * 300])
async def test_what_is_not_there_is_not_found(alerts: RunningAlerts, id_: str) -> None:
    assert is_problem(await alerts.get(f"/v1/followups/{id_}"), 404, "not_found")
    assert is_problem(await alerts.post(f"/v1/followups/{id_}/claim", {"version": 1, "by": "anna"}), 404, "not_found")
    assert is_problem(await alerts.post(f"/v1/notifications/{id_}/replay"), 404, "not_found")


async def test_scopes(alerts: RunningAlerts) -> None:
    await alerts.told(scored("low"))
    claim = f"/v1/followups/{(await alerts.followup('low'))['id']}/claim"
    body = {"version": 1, "by": "anna"}

    assert is_problem(await alerts.get("/v1/followups", None), 401, "no_key")
    assert is_problem(await alerts.get("/v1/followups", "metrics:read"), 403, "missing_scope")
    assert (await alerts.get("/v1/followups", "followups:read")).status_code == 200
    assert is_problem(await alerts.post(claim, body, "followups:read"), 403, "missing_scope")
    assert is_problem(await alerts.post(claim, body, None), 401, "no_key")
    assert (await alerts.post(claim, body, "admin")).status_code == 200
