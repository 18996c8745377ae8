"""A survey from its link to the follow-up and the number, on real processes: what the customer said last counts."""

from typing import Any

import httpx
import pytest

from tests.e2e.processes import Server, temporary_installation, until

pytestmark = pytest.mark.slow


def test_an_answer_opens_a_follow_up_and_a_changed_one_withdraws_it() -> None:
    with temporary_installation(PETLA_BRAND_NAME="Olcha i Dąb") as installation:
        server = installation.up()
        key = installation.create_key("events:write", "metrics:read", "followups:read")["key"]
        made = asked_for(server, key)
        server.kill()  # nothing of a link is kept in a process
        server = installation.up(port=server.port)

        page = httpx.get(made["url"] + "?score=3", trust_env=False)
        assert (page.status_code, page.headers["content-language"]) == (200, "pl")
        assert "Olcha" in page.text
        assert known(server, key, made["feedback"]) is None

        said(made["url"], score=3, text="Paczka przyszła po terminie")
        (opened,) = until(lambda: followups(server, key, "new"), 20, "the follow-up")
        assert (opened["customer"], opened["order_id"], opened["score"]) == ("c-1", "o-9", 3.0)
        assert opened["text"] == "Paczka przyszła po terminie"

        said(made["url"], score=9, text="Jednak dobrze")
        until(lambda: followups(server, key, "withdrawn"), 20, "its end")
        answer = known(server, key, made["feedback"])
        assert answer is not None
        assert (answer["score"], answer["group"], answer["source"]) == (9.0, "promoter", "shop")
        nps = read(server, key, "/v1/metrics/nps").json()
        assert (nps["value"], nps["n"], nps["counts"]["promoter"]) == (100.0, 1, 1)


def test_asked_again_the_customer_confirms_or_opens_it_again() -> None:
    with temporary_installation() as installation:
        server = installation.up()
        key = installation.create_key("events:write", "metrics:read", "followups:write")["key"]
        said(asked_for(server, key)["url"], score=2)
        (opened,) = until(lambda: followups(server, key, "new"), 20, "the follow-up")
        for step, told in (
            ("claim", {}),
            ("attempt", {"channel": "phone", "outcome": "reached"}),
            ("resolve", {"root_cause": "courier", "action": "refund"}),
        ):
            opened = acted(server, key, opened, step, **told)
        link = asked_for(server, key, followup_id=opened["id"])["url"]
        said(link, score=9)
        until(lambda: followups(server, key, "confirmed"), 20, "the confirmation")
        said(link, score=1)
        (again,) = until(lambda: followups(server, key, "assigned"), 20, "the follow-up, open again")
        assert (again["id"], again["level"]) == (opened["id"], 1)
        sums = until(lambda: settled(server, key), 20, "the sums")
        assert sums["balanced"]
        assert sums["detractors"] == {"total": 2, "followups": 1, "suppressed": {"same_submission": 1}, "missing": 0}


def acted(server: Server, key: str, followup: dict[str, Any], step: str, **told: str) -> dict[str, Any]:
    body = {"version": followup["version"], "by": "anna", **told}
    headers = {"Authorization": f"Bearer {key}"}
    path = f"{server.url}/v1/followups/{followup['id']}/{step}"
    response = httpx.post(path, json=body, headers=headers, trust_env=False)
    assert response.status_code == 200, response.text
    after: dict[str, Any] = response.json()
    return after


def settled(server: Server, key: str) -> dict[str, Any] | None:
    found: dict[str, Any] = read(server, key, "/v1/reconciliation").json()
    return found if found["settled"] else None


def asked_for(server: Server, key: str, **more: str) -> dict[str, Any]:
    body = {"survey_id": "after-delivery", "metric": "nps", "customer": "c-1", "order_id": "o-9", "language": "pl"}
    body |= more
    headers = {"Authorization": f"Bearer {key}"}
    response = httpx.post(f"{server.url}/v1/surveys/links", json=body, headers=headers, trust_env=False)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


def said(url: str, **fields: Any) -> None:
    response = httpx.post(url, data=fields, trust_env=False)
    assert response.status_code == 200, response.text


def read(server: Server, key: str, path: str) -> httpx.Response:
    return httpx.get(server.url + path, headers={"Authorization": f"Bearer {key}"}, trust_env=False)


def known(server: Server, key: str, feedback: str) -> dict[str, Any] | None:
    response = read(server, key, f"/v1/feedback/{feedback}")
    return response.json() if response.status_code == 200 else None


def followups(server: Server, key: str, state: str) -> list[dict[str, Any]] | None:
    return read(server, key, f"/v1/followups?state={state}").json()["items"] or None


def test_who_takes_the_consent_back_is_asked_no_more_until_it_is_given_again() -> None:
    with temporary_installation() as installation:
        server = installation.up()
        key = installation.create_key("events:write")["key"]
        assert may_be_asked(server, key)
        consents(server, key, "1", survey=False)
        until(lambda: not may_be_asked(server, key), 20, "the refusal")
        server.kill()
        server = installation.up(port=server.port)
        assert not may_be_asked(server, key)
        consents(server, key, "2", survey=True)
        until(lambda: may_be_asked(server, key), 20, "the consent")


def may_be_asked(server: Server, key: str) -> bool:
    body = {"survey_id": "after-delivery", "metric": "nps", "customer": "c-1"}
    headers = {"Authorization": f"Bearer {key}"}
    response = httpx.post(f"{server.url}/v1/surveys/links", json=body, headers=headers, trust_env=False)
    assert response.status_code == 201 or response.json()["code"] == "no_survey_consent", response.text
    return response.status_code == 201


def consents(server: Server, key: str, name: str, survey: bool) -> None:
    data = {"customer": "c-1", "consent": {"survey": survey}}
    event = {"specversion": "1.0", "id": name, "source": "/shop", "type": "customer.updated.v1", "data": data}
    headers = {"Authorization": f"Bearer {key}"}
    response = httpx.post(f"{server.url}/v1/events", json=event, headers=headers, trust_env=False)
    assert response.status_code == 202, response.text
