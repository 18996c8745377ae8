"""The page of sources, made from the answers of `GET /v1/sources` and `GET /v1/sources/{name}`. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from services.scoring.pages.dates import clock, duration, long_range, short_day
from services.scoring.pages.sums import Term
from services.scoring.pages.wording import Wording

MOST_LISTED = 25
_COLUMNS = ("received", "accepted", "duplicates", "conflicts", "ignored", "rejected")
# Nothing was read of these: what is wrong is the secret, or it is somebody else.
_UNSIGNED = (
    "no_secret", "no_signature", "unreadable_signature", "no_timestamp", "unreadable_timestamp", "stale_timestamp",
    "unsigned_body", "unknown_key", "bad_signature",
)  # fmt: skip
_NOT_PULLED = ("sender_away", "token_not_taken")
_MINUTE = timedelta(minutes=1)

Answer = Mapping[str, Any]


class Number(NamedTuple):
    """`at_fault`: it is to be looked at."""

    column: str
    label: str
    text: str
    at_fault: bool


@dataclass(frozen=True)
class Row:
    name: str
    query: str
    state: str
    state_word: str
    numbers: list[Number]
    seen: str
    chosen: bool


class Reason(NamedTuple):
    """`code` is empty where the document itself says the word."""

    word: str
    code: str
    n: str


class Reasons(NamedTuple):
    heading: str
    listed: list[Reason]


@dataclass(frozen=True)
class Line:
    """A delivery; `action` is where it is tried again, empty where its body is not kept."""

    at: str
    outcome: str
    outcome_word: str
    effect: str
    code: str
    action: str
    label: str


@dataclass(frozen=True)
class Chosen:
    name: str
    total: Term
    terms: list[Term]
    note: str
    kind: str
    reasons: list[Reasons]
    lines: list[Line]
    shown: str


@dataclass(frozen=True)
class SourcesPage:
    period: str
    heading: str
    rows: list[Row] = field(default_factory=list)
    chosen: Chosen | None = None


def first_to_show(items: Sequence[Answer]) -> str | None:
    """The name of one that fails, else of the first that anything came from."""
    by_need = {"failing": 0, "silent": 1, "receiving": 1, "waiting": 2}
    return min(items, key=lambda item: by_need[item["state"]])["name"] if items else None


def sources_page(every: Answer, one: Answer | None, now: datetime, wording: Wording) -> SourcesPage:
    window = every["window"]
    zone = ZoneInfo(window["timezone"])
    first, end = (date.fromisoformat(window[name]) for name in ("from", "to"))
    days = wording.counted("days", (end - first).days)
    looked = _Look(now.astimezone(zone), zone, wording)
    named = wording.texts.get(f"zone.{zone.key}") or wording.text("zone", name=zone.key)
    return SourcesPage(
        period=wording.text(
            "period",
            days=days,
            range=long_range(first, end - timedelta(days=1), wording),
            zone=named,
            at=clock(looked.now),
        ),
        heading=wording.text("sources.heading", days=days),
        rows=[looked.row(item, one) for item in every["items"]],
        chosen=looked.chosen(one) if one else None,
    )


class _Look:
    """At `now` of the deployment's zone."""

    def __init__(self, now: datetime, zone: ZoneInfo, wording: Wording) -> None:
        self.now = now
        self._zone = zone
        self._say = wording

    def row(self, item: Answer, one: Answer | None) -> Row:
        name = item["name"]
        return Row(
            name=name,
            query=f"?source={quote(name, safe='')}&lang={self._say.language}",
            state=item["state"],
            state_word=self._say.text(f"source.{item['state']}", **{"for": self._since(item["last_seen"])}),
            numbers=[self._number(column, item[column]) for column in _COLUMNS],
            seen=self._seen(item["last_seen"]),
            chosen=one is not None and one["name"] == name,
        )

    def chosen(self, one: Answer) -> Chosen:
        terms = [self._term(name, one[name]) for name in _COLUMNS]
        deliveries = one["deliveries"]
        shown = {"shown": min(len(deliveries), MOST_LISTED), "total": len(deliveries)}
        return Chosen(
            name=one["name"],
            total=terms[0],
            terms=terms[1:],
            note=self._note(one),
            kind=one["state"],
            reasons=[self._reasons(name, one[name]) for name in ("rejected", "incomplete", "ignored") if one[name]],
            lines=[self._line(each, one["name"]) for each in deliveries[:MOST_LISTED]],
            shown=self._say.text("deliveries.shown", **shown) if len(deliveries) > MOST_LISTED else "",
        )

    def _number(self, column: str, value: int | Mapping[str, int]) -> Number:
        n = _sum(value)
        at_fault = bool(n) and column in ("conflicts", "rejected")
        return Number(column, self._say.text(f"column.{column}"), self._say.numerals.plain(n), at_fault)

    def _term(self, name: str, value: int | Mapping[str, int]) -> Term:
        return Term(self._say.text(f"term.{name}"), self._say.numerals.plain(_sum(value)))

    def _note(self, one: Answer) -> str:
        state, error = one["state"], one["last_error"]
        if state == "failing" and error:
            at, reason = self._moment(error["at"]), error["reason"]
            return self._say.text(f"failing.note{_kind_of_failure(reason)}", at=at, reason=self._word(reason))
        if state == "silent":
            return self._say.text("silent.note", **{"for": self._since(one["last_seen"])})
        if state == "waiting":
            return self._say.text("waiting.note", address=f"/webhooks/{one['name']}")
        return ""

    def _reasons(self, kind: str, counted: Mapping[str, int]) -> Reasons:
        heading = self._say.text(f"reasons.{kind}", n=self._say.numerals.plain(_sum(counted)))
        often = sorted(counted.items(), key=lambda each: (-each[1], each[0]))
        return Reasons(
            heading, [Reason(self._word(code), self._code(code), self._say.numerals.plain(n)) for code, n in often]
        )

    def _line(self, each: Answer, source: str) -> Line:
        at = self._moment(each["at"], seconds=True)
        place = f"{each['partition']}/{each['offset']}/dry-run?id={each['id']}&lang={self._say.language}"
        code = each["reason"] or ""
        return Line(
            at=at,
            outcome=each["outcome"],
            outcome_word=self._say.text(f"outcome.{each['outcome']}"),
            effect=self._effect(each),
            code=self._code(code) or (str(each["status"]) if each["outcome"] == "rejected" else ""),
            action=f"/v1/sources/{quote(source, safe='')}/deliveries/{place}" if each["kept"] else "",
            label=self._say.text("try.of", at=at),
        )

    def _effect(self, each: Answer) -> str:
        outcome, reason = each["outcome"], each["reason"]
        if outcome in ("ignored", "rejected"):
            return self._word(reason or "")
        events = self._say.counted("made", each["events"])
        if reason:
            return self._say.text("effect.incomplete", events=events, reason=self._word(reason))
        return self._say.text(f"effect.{outcome}", **({"events": events} if outcome == "accepted" else {}))

    def _word(self, code: str) -> str:
        """What a document ignores for is its own word."""
        return self._say.texts.get(f"reason.{code}") or code.replace("_", " ")

    def _code(self, code: str) -> str:
        return code if f"reason.{code}" in self._say.texts else ""

    def _seen(self, moment: str | None) -> str:
        if moment is None:
            return self._say.text("seen.never")
        if self.now - datetime.fromisoformat(moment) < _MINUTE:
            return self._say.text("seen.now")
        return self._say.text("seen.ago", **{"for": self._since(moment)})

    def _since(self, moment: str | None) -> str:
        return duration(max(self.now - datetime.fromisoformat(moment), timedelta()), self._say) if moment else ""

    def _moment(self, text: str, seconds: bool = False) -> str:
        """Today the time alone."""
        moment = datetime.fromisoformat(text).astimezone(self._zone)
        at = f"{clock(moment)}:{moment.second:02}" if seconds else clock(moment)
        day = "" if moment.date() == self.now.date() else f"{short_day(moment.date(), self._say)}, "
        return self._say.glued(day + at)


def _sum(value: int | Mapping[str, int]) -> int:
    return value if isinstance(value, int) else sum(value.values())


def _kind_of_failure(reason: str) -> str:
    if reason == "passed_over":
        return ".passed_over"
    return ".unsigned" if reason in _UNSIGNED else ".pulled" if reason in _NOT_PULLED else ""
