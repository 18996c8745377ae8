"""One link is one answer. Opening it records nothing; what is answered 200 is on the log; the newest answer counts."""

import asyncio
import html
import re
from typing import Any

import httpx
import msgspec
import pytest
import structlog

from services.ingest.surveys import submission
from services.ingest.surveys.invitations import Invitation
from services.ingest.surveys.tokens import token_of
from shared.sealing import Sealing
from tests.ingest.running import ARRIVAL, RunningIngest
from tests.ingest.surveys.asking import FORM, answer, answers, ask, link, newest

NOW = int(ARRIVAL.timestamp() * 1000)
SCORES = {"nps": range(11), "csat": range(1, 6), "ces": range(1, 8), "rating": range(1, 6), "recommend": range(2)}


def shown(response: httpx.Response) -> str:
    """The words of a page."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.text)))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("query", ["", "?score=9", "?score=9&utm_source=mail&lang=en", "?score=99&lang=xx&text=a"])
async def test_opening_records_nothing(ingest: RunningIngest, method: str, query: str) -> None:
    path = await link(ingest)
    response = await ingest.request(method, path + query)
    assert response.status_code == 200
    assert (response.content == b"") is (method == "HEAD")
    assert ingest.events() == []


@pytest.mark.parametrize("metric", SCORES)
async def test_every_score_of_every_question(ingest: RunningIngest, metric: str) -> None:
    for score in SCORES[metric]:
        path = await link(ingest, metric=metric)
        response = await answer(ingest, path, score=score)
        assert response.status_code == 200, response.text
    recorded = [data for _, data in answers(ingest)]
    assert sorted(data["score"] for data in recorded) == list(SCORES[metric])
    assert {data["metric"] for data in recorded} == {metric}


@pytest.mark.parametrize("metric", SCORES)
@pytest.mark.parametrize(
    "score", ["-1", "11", "8", "3.0", "1e0", "+1", " 1", "01", "１", "", "NaN", "'; --", "9" * 5000]
)
async def test_a_score_that_the_question_does_not_have(ingest: RunningIngest, metric: str, score: str) -> None:
    if score == "8" and metric == "nps":
        return
    path = await link(ingest, metric=metric)
    response = await answer(ingest, path, score=score, text="Za późno")
    assert response.status_code == 422
    assert "Wybierz jedną z odpowiedzi" in shown(response)
    assert "Za późno" in shown(response)
    assert ingest.events() == []


async def test_what_is_sent_again_is_a_revision(ingest: RunningIngest) -> None:
    path = await link(ingest)
    await answer(ingest, path, score=3)
    ingest.clock.advance(60)
    await answer(ingest, path, score=9, text="Jednak dobrze", revision=NOW)
    ingest.clock.advance(86_400)
    await answer(ingest, path, score=9, text="Jednak dobrze")  # the link of the e-mail, opened again elsewhere
    (first, _), (second, data), (third, _) = answers(ingest)
    assert [event.revision for event in (first, second, third)] == [NOW, NOW + 60_000, NOW + 60_000 + 86_400_000]
    assert [event.type for event in (first, second)] == ["feedback.received.v1", "feedback.updated.v1"]
    assert len({event.factid for event in (first, second, third)}) == 1
    assert (data["score"], data["text"], data["feedback_id"]) == (9, "Jednak dobrze", newest(ingest)["feedback_id"])
    assert first.time == ARRIVAL


async def test_a_changed_answer_wins_although_the_clock_of_another_process_is_behind(ingest: RunningIngest) -> None:
    path = await link(ingest)
    ahead = NOW + 5_000
    response = await answer(ingest, path, score=9, revision=ahead)
    assert answers(ingest)[-1][0].revision == ahead + 1
    assert f'value="{ahead + 1}"' in response.text


@pytest.mark.parametrize("revision", [str(2**53), "9" * 16, "9" * 400, "-1", "1.5", "x"])
async def test_a_revision_that_nobody_gave_changes_nothing(ingest: RunningIngest, revision: str) -> None:
    """Else the holder of a link could answer so that no later answer counts."""
    await answer(ingest, await link(ingest), score=9, revision=revision)
    assert answers(ingest)[-1][0].revision == NOW


async def test_two_links_of_one_invitation_are_one_answer(ingest: RunningIngest) -> None:
    for score in (3, 9):
        await answer(ingest, await link(ingest, invitation_id="i-1"), score=score)
        ingest.clock.advance(1)
    (first, _), (second, _) = answers(ingest)
    assert first.factid == second.factid
    assert first.revision < second.revision


async def test_the_thanks_say_what_was_recorded(ingest: RunningIngest) -> None:
    response = await answer(ingest, await link(ingest), score=3, text="Paczka <b>po</b> terminie\r\ni mokra")
    assert response.status_code == 200
    said = shown(response)
    assert "Twoja ocena: 3" in said
    assert "„Paczka <b>po</b> terminie i mokra”" in said
    assert "<b>" not in response.text
    assert newest(ingest)["text"] == "Paczka <b>po</b> terminie\ni mokra"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("😡 Za późno 👎🏽 👨‍👩‍👧", "😡 Za późno 👎🏽 👨‍👩‍👧"),
        ("a\0b\x07c\x1b[31m\x7f\x85", "abc[31m"),
        ("  \r\n\t \0 ", None),
        ("a\rb\tc", "a\nb\tc"),
        ("x" * 5_000, "x" * 5_000),
        ("😀" * 5_000, "😀" * 5_000),
        ("\r\n" * 4_999 + "a", "a"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}abc", "\N{RIGHT-TO-LEFT OVERRIDE}abc"),
    ],
)
async def test_what_people_type(ingest: RunningIngest, text: str, kept: str | None) -> None:
    response = await answer(ingest, await link(ingest), score=0, text=text)
    assert response.status_code == 200
    assert newest(ingest).get("text") == kept


async def test_a_comment_that_is_too_long_is_given_back(ingest: RunningIngest) -> None:
    response = await answer(ingest, await link(ingest), score=2, text="ż" * 5_001)
    assert response.status_code == 422
    assert "najwyżej 5\N{NO-BREAK SPACE}000 znaków, a ten ma 5\N{NO-BREAK SPACE}001" in html.unescape(response.text)
    assert "ż" * 5_001 in response.text
    assert ingest.events() == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"\xff\xfe\0", 422),
        (b"score=%ff%fe", 422),
        (b"score=9&text=%ED%A0%80%FF", 200),  # half a surrogate pair, and no UTF-8
        (b"score=9&text=\xc5\xbc", 200),
        (b"&".join((b"score=9", *(b"a%d=1" % number for number in range(50)))), 422),
        (b"%" * 60_000, 422),
        (b'{"score": 9}', 422),
        (b"score=9&text=" + b"x" * 70_000, 413),
    ],
)
async def test_bodies_that_no_browser_sends(ingest: RunningIngest, body: bytes, status: int) -> None:
    path = await link(ingest)
    response = await ingest.request("POST", path, content=body, headers={"Content-Type": FORM})
    assert response.status_code == status
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert len(ingest.events()) == (status == 200)


async def test_while_the_log_is_away_nothing_is_thanked_for_and_nothing_is_lost(ingest: RunningIngest) -> None:
    path = await link(ingest)
    ingest.log.unavailable = "away"
    response = await answer(ingest, path, score=3, text="Za późno & <mokro>")
    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
    assert "Nie udało się zapisać odpowiedzi" in shown(response)
    assert "Za późno & <mokro>" in shown(response)
    assert 'class="chosen"' in response.text
    assert "Dziękujemy" not in response.text
    assert ingest.events() == []

    ingest.log.unavailable = None
    assert (await answer(ingest, path, score=3, text="Za późno & <mokro>")).status_code == 200
    assert newest(ingest)["text"] == "Za późno & <mokro>"


async def test_thanks_come_after_the_log_has_acknowledged(
    ingest: RunningIngest, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await link(ingest)
    acknowledged = asyncio.Event()
    append = ingest.log.append

    async def slow(records: Any) -> Any:
        await acknowledged.wait()
        return await append(records)

    monkeypatch.setattr(ingest.log, "append", slow)
    answering = asyncio.create_task(answer(ingest, path, score=9))
    for _ in range(50):
        await asyncio.sleep(0)
    assert not answering.done()
    acknowledged.set()
    assert (await answering).status_code == 200


async def test_a_defect_is_a_page_too(ingest: RunningIngest, monkeypatch: pytest.MonkeyPatch) -> None:
    path = await link(ingest)

    async def broken(records: Any) -> Any:
        raise RuntimeError("Anna Kowalska")

    monkeypatch.setattr(ingest.log, "append", broken)
    response = await answer(ingest, path, score=9)
    assert response.status_code == 500
    assert "Odpowiedź do nas nie dotarła" in shown(response)
    assert "Anna" not in response.text


async def test_one_link_cannot_flood_the_log(ingest: RunningIngest) -> None:
    path, other = await link(ingest), await link(ingest)
    responses = [await answer(ingest, path, score=score % 11, text="Za późno") for score in range(25)]
    assert [response.status_code for response in responses] == [200] * 20 + [429] * 5
    assert "Za późno" in shown(responses[-1])
    assert responses[-1].headers["retry-after"]
    assert (await answer(ingest, other, score=1)).status_code == 200
    ingest.clock.advance(10)
    assert (await answer(ingest, path, score=1)).status_code == 200
    assert len(ingest.events()) == 22


def altered(token: str, at: int) -> str:
    return token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]


def sealed_otherwise(invitation: Invitation, ingest: RunningIngest) -> dict[str, str]:
    return {
        "another secret": token_of(invitation, Sealing(b"somebody else's secret")),
        "another purpose": ingest.sealing.seal("source", msgspec.msgpack.encode(invitation)),
        "not an invitation": ingest.sealing.seal("survey", b"\xc1"),
        "half of one": ingest.sealing.seal("survey", b"\x92\xa4shop\xa1s"),
        "empty": ingest.sealing.seal("survey", b""),
    }


INVITATION = Invitation(
    sender="shop", survey_id="s", invitation_id="i", metric="nps", customer="c-1", expires=NOW // 1000 + 60
)


async def test_forged_links(ingest: RunningIngest) -> None:
    good = (await link(ingest)).removeprefix("/s/")
    forged = [*(altered(good, at) for at in range(0, len(good) - 1, 7)), good[:-2], good + "AAAA", good.upper()]
    forged += sealed_otherwise(INVITATION, ingest).values()
    forged += [
        "x",
        "%00",
        "%FF%FE",
        "a/b",
        "..%2f..%2fetc%2fpasswd",
        "ż",
        "A" * 3_000,
        f"{good}/",
        "static/x/survey.css",
    ]
    bodies = set()
    for token in forged:
        for response in (
            await ingest.request("GET", f"/s/{token}", headers={"Accept-Language": "pl"}),
            await answer(ingest, f"/s/{token}", score=9),
        ):
            if token.startswith("static") and response.request.method == "GET":
                continue
            assert response.status_code == 404, (token, response.text)
            assert response.headers["content-type"] == "text/html; charset=utf-8"
            bodies.add(response.text)
    (said,) = bodies  # why is nobody's business
    assert "Ten link nie działa" in said
    assert "This link does not work" in said
    assert ingest.events() == []


async def test_a_link_ends(ingest: RunningIngest) -> None:
    path = await link(ingest, valid_days=1)
    ingest.clock.advance(86_400 - 1)
    assert (await ingest.request("GET", path)).status_code == 200
    ingest.clock.advance(1)
    for response in (await ingest.request("GET", path), await answer(ingest, path, score=9)):
        assert response.status_code == 410
        assert "Ta ankieta jest już zamknięta" in response.text
        assert "This survey is closed" in response.text
        assert "after-delivery" not in response.text
    assert ingest.events() == []


async def test_what_was_refused_is_counted_and_nobody_is_named(
    ingest: RunningIngest, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await link(ingest, customer="Anna Kowalska", order_id="ZAM-42")
    with structlog.testing.capture_logs() as logged:
        await ingest.request("GET", path[:-2])
        await answer(ingest, path, score=11, text="Za późno")
        ingest.log.unavailable = "away"
        await answer(ingest, path, score=1, text="Za późno")
        await ask(ingest, customer="Anna Kowalska")

        async def broken(records: Any) -> Any:
            raise RuntimeError("Anna Kowalska")

        monkeypatch.setattr(ingest.log, "append", broken)
        await answer(ingest, path, score=1, text="Za późno")
    assert logged
    for private in ("Anna", "ZAM-42", "Za późno", path[3:]):
        assert private not in str(logged)
    metrics = (await ingest.request("GET", "/metrics")).text
    for code in ("survey_unknown", "survey_score", "log_unavailable", "internal_error"):
        assert f'petla_ingest_requests_refused_total{{code="{code}"}} 1.0' in metrics


@pytest.mark.parametrize(
    ("asked", "accepts", "query", "language"),
    [
        ("pl", "en", "", "pl"),
        ("en", "pl", "", "en"),
        (None, "en-GB,en;q=0.9", "", "en"),
        (None, "de", "", "pl"),
        ("pl", "pl", "?lang=en", "en"),
        ("pl", "pl", "?lang=de", "pl"),
    ],
)
async def test_languages(ingest: RunningIngest, asked: str | None, accepts: str, query: str, language: str) -> None:
    path = await link(ingest, language=asked)
    response = await ingest.request("GET", path + query, headers={"Accept-Language": accepts})
    assert response.headers["content-language"] == language
    assert f'<html lang="{language}">' in response.text
    assert f'name="lang" value="{language}"' in response.text


async def test_the_language_of_the_page_stays_that_of_the_answer(ingest: RunningIngest) -> None:
    response = await answer(ingest, await link(ingest, language="pl"), score=9, lang="en")
    assert response.headers["content-language"] == "en"
    assert newest(ingest)["language"] == "en"


async def test_the_policy_of_every_page(ingest: RunningIngest) -> None:
    path = await link(ingest)
    pages = [
        await ingest.request("GET", path),
        await answer(ingest, path, score=9),
        await ingest.request("GET", "/s/x"),
    ]
    for page in pages:
        policy = page.headers["content-security-policy"]
        for part in ("default-src 'none'", "script-src 'self'", "form-action 'self'", "frame-ancestors 'none'"):
            assert part in policy
        assert "unsafe" not in policy
        assert page.headers["referrer-policy"] == "no-referrer"  # the address is the answer's key
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-robots-tag"] == "noindex"
        assert not re.search(r"<style|style=|<script(?! src)| on\w+=", page.text)


async def test_the_files_of_a_page_are_beside_it_whatever_stands_before_its_path(ingest: RunningIngest) -> None:
    page = (await ingest.request("GET", await link(ingest))).text
    files = re.findall(r'(?:href|src)="(static/[^"]+)"', page)
    assert [file.rsplit("/", 1)[1] for file in files] == ["tokens.css", "brand.css", "survey.css", "survey.js"]
    for file in files:
        response = await ingest.request("GET", f"/s/{file}")
        assert response.status_code == 200
        assert "immutable" in response.headers["cache-control"]
    assert (await ingest.request("GET", "/s/static/0/nothing.css")).status_code == 404
    assert (await ingest.request("GET", "/s/static/0/..%2frouting.py")).status_code == 404


def test_the_largest_form_fits() -> None:
    """The longest comment of the longest characters, percent-encoded."""
    assert 5_000 * len("%F0%9F%98%80") + 1_000 < submission.MOST_BYTES
