"""The overview over HTTP: the numbers of the API, nobody's name, and nothing for strangers."""

import re
from html.parser import HTMLParser

import httpx
import pytest

from shared.events.envelope import fact_id
from tests.scoring.pages.deployment import Deployment, answered, customer, followup

SPACE, MINUS = "\N{NO-BREAK SPACE}", "\N{MINUS SIGN}"


class _Page(HTMLParser):
    """The text of a page, the names of its tags, their attributes, and whether every tag is closed in order."""

    _VOID = ("meta", "link", "br", "img")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self._VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


def read(answer: httpx.Response) -> _Page:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return _Page(answer.text)


async def _tell_a_hundred(deployment: Deployment) -> None:
    """60 promoters, 25 passives, 15 detractors: NPS 45; one customer with a name, two follow-ups, one taken."""
    scores = [10] * 60 + [8] * 25 + [3] * 15
    await deployment.tell("feedback", *(answered(f"a{at}", score) for at, score in enumerate(scores)))
    await deployment.tell("activity", customer("Anna Kowalska"))
    await deployment.tell(
        "followups",
        followup("a99", "opened", "new", 1, due_in_hours=0.6),
        followup("a98", "opened", "new", 1, due_in_hours=-4.2),
        followup("a97", "opened", "new", 1, due_in_hours=-9),
        followup("a97", "attempted", "attempted", 2),
        followup("a96", "opened", "new", 1, due_in_hours=5),
        followup("a96", "withdrawn", "withdrawn", 2),
    )


async def test_the_page_shows_what_the_api_says(deployment: Deployment) -> None:
    await _tell_a_hundred(deployment)
    key = {"Authorization": f"Bearer {await deployment.key('metrics:read')}"}
    nps = (await deployment.get("/v1/metrics/nps", key)).json()
    sums = (await deployment.get("/v1/reconciliation", key)).json()
    assert (nps["value"], nps["n"]) == (45.0, 100)

    page = read(await deployment.get("/")).text
    low, high = round(nps["interval"]["low"]), round(nps["interval"]["high"])
    assert f"45pkt od {low} do {high} 100odpowiedzi" in page
    assert "90 dni: 27 sierpnia – 24 listopada 2026, czas warszawski. Stan z 10:42." in page
    assert (sums["topics"]["petla.feedback"]["read"], sums["detractors"]["missing"]) == (100, 12)
    assert "odebrane100" in page
    assert "bez sprawy12" in page


async def test_open_follow_ups_by_deadline_those_that_run_first(deployment: Deployment) -> None:
    await _tell_a_hundred(deployment)
    answer = await deployment.get("/")
    page = read(answer)
    listed = [attributes["title"] for tag, attributes in page.tags if tag == "code"]
    assert listed == [str(fact_id("followup", name)) for name in ("a98", "a99", "a97")]
    text = page.text
    assert "3 otwarte. Bez nazwisk i treści." in text
    assert "po terminie 4 h 12 min" in text
    assert "za 36 min, 11:18" in text
    assert "próba w terminie" in text or "próba po terminie" in text


async def test_nobody_is_named_and_nobody_is_quoted(deployment: Deployment) -> None:
    await _tell_a_hundred(deployment)
    for language in ("pl", "en"):
        answer = await deployment.get(f"/?lang={language}")
        assert not [word for word in ("Kowalska", "anna@", "klient-17", "Za późno") if word in answer.text]


async def test_strangers_need_a_key(deployment: Deployment) -> None:
    refused = await deployment.get("/", host="petla.example.com")
    assert refused.status_code == 401
    assert refused.headers["content-type"] == "application/problem+json"

    sender = {"Authorization": f"Bearer {await deployment.key('events:write')}"}
    assert (await deployment.get("/", sender, host="petla.example.com")).status_code == 403

    reader = {"Authorization": f"Bearer {await deployment.key('metrics:read')}"}
    assert (await deployment.get("/", reader, host="petla.example.com")).status_code == 200


async def test_a_proxy_on_this_machine_is_no_reason_to_trust(deployment: Deployment) -> None:
    assert (await deployment.get("/", {"X-Forwarded-For": "203.0.113.7"})).status_code == 401


@pytest.mark.parametrize(
    ("path", "headers", "language", "heading"),
    [
        ("/", {}, "pl", "Zgadza się"),
        ("/", {"Accept-Language": "en-GB,en;q=0.8"}, "en", "It adds up"),
        ("/?lang=pl", {"Accept-Language": "en"}, "pl", "Zgadza się"),
        ("/?lang=en", {}, "en", "It adds up"),
    ],
)
async def test_languages(
    deployment: Deployment, path: str, headers: dict[str, str], language: str, heading: str
) -> None:
    answer = await deployment.get(path, headers)
    page = read(answer)
    assert answer.headers["content-language"] == language
    assert page.tags[0] == ("html", {"lang": language})
    assert heading in page.text


async def test_a_language_we_do_not_have_is_refused_with_a_sentence(deployment: Deployment) -> None:
    answer = await deployment.get("/?lang=de")
    assert answer.status_code == 422
    assert "lang" in answer.json()["detail"]


async def test_nothing_of_the_page_needs_a_looser_policy(deployment: Deployment) -> None:
    await _tell_a_hundred(deployment)
    answer = await deployment.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'self'" in policy
    assert "script" not in policy
    assert "unsafe" not in policy
    page = read(answer)
    assert not [tag for tag, _ in page.tags if tag in ("script", "style")]
    assert not [name for _, attributes in page.tags for name in attributes if name == "style" or name.startswith("on")]
    assert answer.headers["cache-control"] == "no-store"


async def test_every_drawing_is_either_described_or_hidden(deployment: Deployment) -> None:
    await _tell_a_hundred(deployment)
    drawings = [attributes for tag, attributes in read(await deployment.get("/")).tags if tag == "svg"]
    described = [drawing for drawing in drawings if drawing.get("role") == "img" and drawing.get("aria-label")]
    hidden = [drawing for drawing in drawings if drawing.get("aria-hidden") == "true"]
    assert described
    assert len(described) + len(hidden) == len(drawings)


async def test_the_files_a_page_names_are_there_and_may_be_kept(deployment: Deployment) -> None:
    page = read(await deployment.get("/"))
    named = [attributes["href"] or "" for tag, attributes in page.tags if tag == "link"]
    assert len(named) == 4
    for address in named:
        file = await deployment.get(address, host="petla.example.com")
        assert file.status_code == 200
        assert "immutable" in file.headers["cache-control"]
        assert file.headers["content-type"] in ("text/css; charset=utf-8", "image/svg+xml")


async def test_a_page_of_another_version_keeps_its_looks_but_not_the_file(deployment: Deployment) -> None:
    file = await deployment.get("/static/000000000000/overview.css")
    assert (file.status_code, file.headers["cache-control"]) == (200, "no-cache")
    assert (await deployment.get("/static/000000000000/app.py")).status_code == 404
    assert (await deployment.get("/static/000000000000/..%2frouting.py")).status_code == 404


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        ("pl", ["Jeszcze nikt nie odpowiedział", "Żadna sprawa nie czeka", "odebrane0"]),
        ("en", ["Nobody has answered yet", "No follow-up is waiting", "received0"]),
    ],
)
async def test_before_the_first_event(deployment: Deployment, language: str, sentences: list[str]) -> None:
    page = read(await deployment.get(f"/?lang={language}"))
    assert [sentence for sentence in sentences if sentence not in page.text] == []
    assert not [tag for tag, _ in page.tags if tag == "table"]


async def test_with_a_few_answers_only_counts_are_shown(deployment: Deployment) -> None:
    await deployment.tell("feedback", *(answered(f"b{at}", score) for at, score in enumerate((10, 9, 8, 2))))
    page = read(await deployment.get("/")).text
    assert "2 / 1 / 1 promotorzy / pasywni / krytycy" in page.replace(SPACE, " ")
    assert "za mało odpowiedzi" in page
    assert page.count("Jeszcze nikt nie odpowiedział") == 4


@pytest.mark.parametrize(("language", "words"), [("pl", "Jeszcze nic nie przyszło"), ("en", "Nothing has come in yet")])
async def test_sources_are_for_keys_also_on_this_machine(deployment: Deployment, language: str, words: str) -> None:
    assert (await deployment.get("/sources")).status_code == 401
    reader = {"Authorization": f"Bearer {await deployment.key('metrics:read')}"}
    answer = await deployment.get(f"/sources?lang={language}", reader)
    assert words in read(answer).text
    policy = answer.headers["content-security-policy"]
    assert "form-action 'self'" in policy
    assert "script" not in policy
    assert (await deployment.get("/sources?sort=name", reader)).status_code == 422


async def test_the_overview_leads_to_the_sources(deployment: Deployment) -> None:
    page = read(await deployment.get("/?lang=en"))
    assert [one["href"] for tag, one in page.tags if tag == "a" and one.get("href", "").startswith("sources")] == [  # type: ignore[union-attr]
        "sources?lang=en"
    ]
