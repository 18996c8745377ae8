"""What people see: lists by deadline, one follow-up with the whole story, rules, and what was sent."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.alerts.running import RunningAlerts
from tests.alerts.world import ANSWERED, SECRET, activity, feedback_id, scored

SHOWN = {
    "id", "version", "state", "priority", "feedback", "customer", "order_id", "metric", "score", "text", "opened_at",
    "first_attempt_due", "overdue", "assignee", "level", "root_cause", "action", "rule",
}  # fmt: skip


async def names(alerts: RunningAlerts, **params: Any) -> list[str]:
    response = await alerts.get("/v1/followups", **params)
    assert response.status_code == 200, response.text
    known = {str(feedback_id(name)): name for name in "abcdefgh"}
    return [known[item["feedback"]] for item in response.json()["items"]]


async def several(alerts: RunningAlerts) -> None:
    """a is withdrawn, b is anna's, c is overdue, d is another's; deadlines in the order d, c, b, a."""
    for name in "abcd":
        await alerts.told(scored(name, customer=f"c-{name}"))
    await alerts.told(scored("a", 1, score=9))
    await alerts.act("b", "claim", 1)
    hours = {"a": 9, "b": 2, "c": -1, "d": -2}
    for name, due in hours.items():
        await alerts.execute(
            "UPDATE followup SET first_attempt_due = clock_timestamp() + make_interval(hours => :due)"
            " WHERE feedback = :id",
            due=due,
            id=feedback_id(name),
        )
    await alerts.execute("UPDATE followup SET state = 'attempted' WHERE feedback = :id", id=feedback_id("d"))


async def test_a_list_is_ordered_by_deadline_and_can_be_narrowed(alerts: RunningAlerts) -> None:
    await several(alerts)

    assert await names(alerts) == ["d", "c", "b", "a"]
    assert await names(alerts, state="new") == ["c"]
    assert await names(alerts, state=["new", "withdrawn"]) == ["c", "a"]
    assert await names(alerts, assignee="anna") == ["b"]
    assert await names(alerts, overdue="true") == ["c"]
    assert await names(alerts, overdue="false") == ["d", "b", "a"]
    assert await names(alerts, customer="c-d") == ["d"]
    assert await names(alerts, feedback=str(feedback_id("a"))) == ["a"]
    assert await names(alerts, customer="nobody") == []


async def test_an_item_says_all_that_the_contract_says(alerts: RunningAlerts) -> None:
    await alerts.told(scored("a", customer="c-1", order_id="o-9"))
    page = (await alerts.get("/v1/followups")).json()

    assert (page["total"], page["next_cursor"]) == (1, None)
    (item,) = page["items"]
    assert set(item) == SHOWN
    assert item["opened_at"].endswith("Z")
    opened, due = (datetime.fromisoformat(item[name]) for name in ("opened_at", "first_attempt_due"))
    assert due - opened == timedelta(hours=24)
    assert (item["score"], item["overdue"], item["level"], item["rule"]) == (3, False, 0, "detractor@1")


async def test_pages_follow_each_other_and_the_total_counts_all(alerts: RunningAlerts) -> None:
    await several(alerts)
    await alerts.execute("UPDATE followup SET first_attempt_due = (SELECT max(first_attempt_due) FROM followup)")
    seen, cursor = [], None
    for _ in range(2):
        page = (await alerts.get("/v1/followups", limit=2, **({"cursor": cursor} if cursor else {}))).json()
        assert page["total"] == 4
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]

    assert cursor is None
    assert len(seen) == len(set(seen)) == 4


@pytest.mark.parametrize(
    "params",
    [
        {"colour": "red"},
        {"state": "asleep"},
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "x"},
        {"overdue": "perhaps"},
        {"feedback": "7"},
        {"customer": "a\0b"},
        {"assignee": ""},
        {"cursor": ""},
        {"cursor": "7"},
        {"cursor": "MjAyNi0xMS0yMCAx"},
        {"cursor": "x" * 300},
        {"cursor": "ż"},
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(alerts: RunningAlerts, params: dict[str, str]) -> None:
    refused = await alerts.get("/v1/followups", **params)

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"].startswith(next(iter(params)))


async def test_a_follow_up_says_whom_to_call(alerts: RunningAlerts) -> None:
    hour = timedelta(hours=1)
    await alerts.told(
        scored("a"),
        activity(
            "customer.updated.v1", "new", customer="c-1", phone="+48600100200", email=None, language="pl", name="Anna"
        ),
        activity(
            "customer.updated.v1", "old", time=ANSWERED - hour, customer="c-1", phone="+48111", email="a@example.com"
        ),
        activity("customer.updated.v1", "other", customer="c-2", name="Jan"),
    )
    found = (await alerts.get(f"/v1/followups/{(await alerts.followup('a'))['id']}")).json()

    assert found["contact"] == {"name": "Anna", "phone": "+48600100200", "email": None, "language": "pl"}


async def test_without_a_customer_there_is_nobody_to_call(alerts: RunningAlerts) -> None:
    await alerts.told(scored("a", customer=None))
    found = (await alerts.get(f"/v1/followups/{(await alerts.followup('a'))['id']}")).json()

    assert found["contact"] == {"name": None, "phone": None, "email": None, "language": None}


async def test_the_timeline_tells_the_customer_s_whole_story(alerts: RunningAlerts) -> None:
    def at(hours: int) -> datetime:
        return ANSWERED - timedelta(hours=hours)

    await alerts.told(
        activity(
            "order.placed.v1",
            "o",
            time=at(90),
            order_id="o-9",
            customer="c-1",
            total={"amount": 12_999, "currency": "PLN"},
        ),
        activity("delivery.promised.v1", "p", time=at(89), order_id="o-9", promised_date="2026-11-18"),
        activity("delivery.completed.v1", "d", time=at(20), order_id="o-9", completed_at="2026-11-19T14:00:00+01:00"),
        activity(
            "contact.opened.v1", "k", time=at(10), contact_id="k-1", order_id="o-9", topic="late", channel="phone"
        ),
        activity("contact.replied.v1", "r", time=at(9), contact_id="k-1", by="agent", public=True),
        activity("order.placed.v1", "other", time=at(8), order_id="o-7", customer="c-2"),
        activity("contact.replied.v1", "other", time=at(8), contact_id="k-7", by="agent", public=True),
        scored("a", order_id="o-9", submission_id="s"),
        scored("b", order_id="o-9", submission_id="s", metric="csat", score=1, scale_min=1, scale_max=5, text=None),
    )
    found = (await alerts.get(f"/v1/followups/{(await alerts.rows('SELECT id FROM followup'))[0]['id']}")).json()

    told = [(entry["kind"], entry["ref"], entry["text"]) for entry in found["timeline"]]
    assert sorted(told[:2]) == [
        ("feedback.received", *answer)
        for answer in sorted(
            [
                (str(feedback_id("a")), "Answered nps 3 on 0–10: “Za późno”"),
                (str(feedback_id("b")), "Answered csat 1 on 1–5"),
            ]
        )
    ]
    assert told[2:] == [
        ("contact.replied", "k-1", "The agent replied"),
        ("contact.opened", "k-1", "Contact opened by phone about late"),
        ("delivery.completed", "o-9", "Delivered at 2026-11-19 14:00+01:00"),
        ("delivery.promised", "o-9", "Delivery promised for 2026-11-18"),
        ("order.placed", "o-9", "Order placed: 129.99 PLN"),
    ]
    assert found["timeline"][-1]["at"] == "2026-11-16T16:00:00Z"


async def test_the_timeline_shows_the_newest_revision_only(alerts: RunningAlerts) -> None:
    await alerts.told(
        activity("order.placed.v1", "o", 1, order_id="o-9", customer="c-1", total={"amount": 500, "currency": "JPY"}),
        activity("order.placed.v1", "o", 0, order_id="o-9", customer="c-1", total={"amount": 900, "currency": "JPY"}),
        scored("a", score=None),
        scored("b"),
    )
    found = (await alerts.get(f"/v1/followups/{(await alerts.followup('b'))['id']}")).json()

    assert [entry["text"] for entry in found["timeline"] if entry["kind"] == "order.placed"] == [
        "Order placed: 500 JPY"
    ]


async def test_the_timeline_is_cut_at_two_hundred(alerts: RunningAlerts) -> None:
    visits = (
        activity(
            "session.ended.v1",
            f"v{n}",
            time=ANSWERED - timedelta(hours=n + 1),
            session_id=f"v{n}",
            ordered=False,
            customer="c-1",
        )
        for n in range(250)
    )
    await alerts.told(scored("a"), *visits)
    found = (await alerts.get(f"/v1/followups/{(await alerts.followup('a'))['id']}")).json()

    assert len(found["timeline"]) == 200
    assert found["timeline"][0]["kind"] == "feedback.received"
    assert found["timeline"][-1]["ref"] == "v198"


async def test_the_history_names_every_step(alerts: RunningAlerts) -> None:
    await alerts.told(scored("a"))
    await alerts.act("a", "claim", 1)
    await alerts.act("a", "attempt", 2, channel="phone", outcome="no_answer")
    history = (await alerts.get(f"/v1/followups/{(await alerts.followup('a'))['id']}")).json()["history"]

    assert [(step["version"], step["type"], step["by"]) for step in history] == [
        (1, "opened", "petla"),
        (2, "assigned", "anna"),
        (3, "attempted", "anna"),
    ]
    assert (history[2]["channel"], history[2]["outcome"], history[2]["note"]) == ("phone", "no_answer", None)
    assert history[0]["at"].endswith("Z")


async def test_the_rule_can_be_read(alerts: RunningAlerts) -> None:
    (rule,) = (await alerts.get("/v1/rules")).json()["items"]

    assert rule["id"] == "detractor@1"
    assert set(rule["suppresses"]) == {"too_old", "same_submission", "no_contact_consent"}


async def test_notifications_are_listed_and_the_dead_are_replayed(db: Any) -> None:
    alerts = RunningAlerts(db, ALERTS_WEBHOOK_URL="http://127.0.0.1:9/hook", ALERTS_WEBHOOK_SECRET=SECRET)
    await alerts.start()
    await alerts.told(scored("a"), scored("b"), scored("c"))
    await alerts.execute(
        "UPDATE notification SET state = 'dead', attempts = 10, last_status = 500 WHERE followup_id ="
        " (SELECT id FROM followup WHERE feedback = :id)",
        id=feedback_id("a"),
    )
    first = (await alerts.get("/v1/notifications", limit=2)).json()
    second = (await alerts.get("/v1/notifications", limit=2, cursor=first["next_cursor"])).json()
    assert (first["total"], len(first["items"]), len(second["items"]), second["next_cursor"]) == (3, 2, 1, None)

    (dead,) = (await alerts.get("/v1/notifications", state="dead")).json()["items"]
    assert (dead["attempts"], dead["last_status"], dead["next_at"]) == (10, 500, None)
    replayed = await alerts.post(f"/v1/notifications/{dead['id']}/replay")
    assert (replayed.status_code, replayed.json()["state"], replayed.json()["attempts"]) == (200, "pending", 0)
    again = await alerts.post(f"/v1/notifications/{dead['id']}/replay")
    assert again.status_code == 409
    assert again.json()["current"]["state"] == "pending"
    assert (await alerts.post(f"/v1/notifications/{dead['id']}/replay", scope="followups:read")).status_code == 403
    assert (await alerts.get("/v1/notifications", state="asleep")).status_code == 422
    await alerts.stop()
