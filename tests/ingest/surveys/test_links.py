"""A link is made for a key that sends events; the invitation is on the log, and its address gives nobody away."""

import base64

import msgspec
import pytest

from shared.no_survey import SurveyRefusals
from tests.ingest.running import RunningIngest, assert_problem
from tests.ingest.surveys.asking import answer as send
from tests.ingest.surveys.asking import answers, ask, link

PERSON = {"customer": "anna.kowalska@example.com", "order_id": "ZAM-2026-0042", "segment": "vip"}


async def test_a_link_and_when_it_ends(ingest: RunningIngest) -> None:
    made = (await ask(ingest, valid_days=14, invitation_id="i-1")).json()
    assert made["url"].startswith("http://localhost:8081/s/")
    assert made["expires_at"] == "2026-12-04T12:00:00Z"
    assert (made["invitation_id"], made["durability"]) == ("i-1", "local")


async def test_a_link_is_open_for_thirty_days_unless_told_otherwise(ingest: RunningIngest) -> None:
    assert (await ask(ingest)).json()["expires_at"] == "2026-12-20T12:00:00Z"


async def test_links_lead_to_where_customers_come_in() -> None:
    running = RunningIngest(public_url="https://ankiety.example.com/petla/")
    await running.start()
    url = (await ask(running)).json()["url"]
    await running.stop()
    assert url.startswith("https://ankiety.example.com/petla/s/")


async def test_the_invitation_is_an_event(ingest: RunningIngest) -> None:
    await ask(ingest, invitation_id="i-1", channel="email")
    (event,) = ingest.events("petla.activity")
    assert (event.type, event.sender, event.id) == ("survey.invited.v1", "shop", "i-1")
    told = {"invitation_id": "i-1", "survey_id": "after-delivery", "customer": "c-1", "channel": "email"}
    assert msgspec.json.decode(event.data) == told


async def test_asking_again_is_the_same_invitation_and_the_same_answer(ingest: RunningIngest) -> None:
    """A shop that got no answer to its request asks again."""
    first, second = [(await ask(ingest, invitation_id="i-1")).json() for _ in range(2)]
    assert first["url"] != second["url"]
    assert first["feedback"] == second["feedback"]
    one, other = ingest.events("petla.activity")
    assert (one.factid, bytes(one.data)) == (other.factid, bytes(other.data))


async def test_without_a_name_of_its_own_every_link_is_another_invitation(ingest: RunningIngest) -> None:
    assert len({(await ask(ingest)).json()["invitation_id"] for _ in range(5)}) == 5


async def test_the_answer_has_the_id_that_was_told(ingest: RunningIngest) -> None:
    made = (await ask(ingest)).json()
    await send(ingest, made["url"].removeprefix("http://localhost:8081"), score=9)
    assert [event.factid for event, _ in answers(ingest)] == [made["feedback"]]


async def test_no_person_can_be_read_in_the_address(ingest: RunningIngest) -> None:
    token = (await link(ingest, **PERSON)).removeprefix("/s/")
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for word in ("anna", "kowalska", "example", "ZAM", "0042", "vip", "after-delivery", "shop"):
        assert word not in token
        assert word.encode() not in raw


async def test_everything_that_was_asked_about_comes_back_with_the_answer(ingest: RunningIngest) -> None:
    about = {
        "customer": "klient „ą”",
        "channel": "sms",
        "order_id": "o-9",
        "contact_id": "k-1",
        "followup_id": "f-1",
        "touchpoint": "delivery",
        "journey_stage": "after",
        "product": "p-1",
        "store": "Kraków",
        "agent": "a-1",
        "team": "t-1",
        "segment": "vip",
        "campaign": "autumn",
    }
    path = await link(ingest, **about)
    await send(ingest, path, score=9, lang="pl")
    ((_, data),) = answers(ingest)
    assert {name: data[name] for name in about} == about
    assert (data["survey_id"], data["metric"], data["score"], data["language"]) == ("after-delivery", "nps", 9, "pl")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"metric": "comment"}, "metric"),
        ({"metric": None}, "metric"),
        ({"customer": None}, "customer"),
        ({"customer": ""}, "customer"),
        ({"customer": "a\nb"}, "customer"),
        ({"customer": "x" * 257}, "customer"),
        ({"customer": 7}, "customer"),
        ({"survey_id": None}, "survey_id"),
        ({"invitation_id": "x" * 201}, "invitation_id"),
        ({"language": "de"}, "language"),
        ({"valid_days": 0}, "valid_days"),
        ({"valid_days": 366}, "valid_days"),
    ],
)
async def test_a_body_that_cannot_be_taken(ingest: RunningIngest, body: dict[str, object], field: str) -> None:
    problem = assert_problem(await ask(ingest, **body), 422, "invalid_request")
    assert problem["errors"][0]["field"] == field
    assert ingest.events("petla.activity") == []


async def test_a_link_that_no_mail_would_carry_is_refused(ingest: RunningIngest) -> None:
    long = dict.fromkeys(("customer", "order_id", "store", "team", "segment"), "ż" * 256)
    assert_problem(await ask(ingest, **long), 422, "too_long")
    assert ingest.events("petla.activity") == []


async def test_who_may_ask(ingest: RunningIngest) -> None:
    bare = await ingest.request("POST", "/v1/surveys/links", json={})
    assert_problem(bare, 401, "no_key")
    reader = await ingest.new_key("shop", "metrics:read")
    assert_problem(await ask(ingest, reader), 403, "missing_scope")


async def test_a_source_that_may_send_no_more_may_ask_no_more(limited: RunningIngest) -> None:
    statuses = [(await ask(limited)).status_code for _ in range(11)]
    assert statuses == [201] * 10 + [429]
    refused = await ask(limited)
    assert_problem(refused, 429, "too_many_events")
    assert refused.headers["retry-after"] == "1"
    limited.clock.advance(0.1)
    assert (await ask(limited)).status_code == 201


async def test_a_link_is_given_out_only_when_its_invitation_is_kept(ingest: RunningIngest) -> None:
    ingest.log.unavailable = "away"
    refused = await ask(ingest)
    assert_problem(refused, 503, "unavailable")
    assert refused.headers["retry-after"]
    assert "/s/" not in refused.text


async def test_who_does_not_want_to_be_asked_gets_no_link(ingest: RunningIngest) -> None:
    refusals = SurveyRefusals(ingest.config, ingest.sealing)
    place = refusals.place("c-1")
    await refusals.tell(place.bucket, [place.hash])
    problem = assert_problem(await ask(ingest), 422, "no_survey_consent")
    assert problem["errors"][0]["field"] == "customer"
    assert ingest.events("petla.activity") == []
    assert (await ask(ingest, customer="c-2")).status_code == 201
    await refusals.tell(place.bucket, [])
    assert (await ask(ingest)).status_code == 201
