"""The numbers as rows of a ledger, made from the answers of the API. Pure.

How much is said depends on n: from 100 the value, from 30 an approximate one, below that only counts, and of nothing
never a zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from services.scoring.pages import figures
from services.scoring.pages.dates import short_day
from services.scoring.pages.marks import Bar, Trend, Week, interval_bar, trend
from services.scoring.pages.wording import Wording

ENOUGH, INDICATIVE = 100, 30
# A week is a point of the trend from here on, and has a band from INDICATIVE on.
_LEAST_OF_A_WEEK = 10
_LEAST_WEEKS = 4
_WHOLE_WEEK = timedelta(days=6, hours=22)  # one with a clock change is an hour shorter
_BETWEEN = " · "  # where counts may go on in the next line
_LEAST_SPAN = {"points": 20.0, "percent": 8.0, "score": 0.4, "hours": 2.0}

Answer = Mapping[str, Any]


class Listed(NamedTuple):
    """A metric of the page and the noun of what it counts."""

    metric: str
    noun: str


GROUPS: Sequence[tuple[str, Sequence[Listed]]] = (
    (
        "experience",
        (
            Listed("nps", "answers"),
            Listed("csat", "answers"),
            Listed("ces", "answers"),
            Listed("rating", "answers"),
            Listed("recommend", "answers"),
        ),
    ),
    (
        "loop",
        (
            Listed("late_delivery", "deliveries"),
            Listed("time_to_first_attempt", "attempts"),
            Listed("followup_coverage", "detractors"),
            Listed("close_rate", "followups"),
        ),
    ),
)
METRICS = [listed.metric for _, group in GROUPS for listed in group]


@dataclass(frozen=True)
class Verdict:
    """Against the period before; `direction` is rise or fall where the API says that it changed, else empty."""

    text: str
    direction: str = ""


@dataclass(frozen=True)
class Row:
    """One metric, in words; what is empty or None is not shown. `nothing` stands alone, instead of the rest."""

    name: str
    about: str
    n: str = ""
    noun: str = ""
    nothing: str = ""
    value: str = ""
    unit: str = ""
    indicative: bool = False
    provisional: str = ""
    counts: str = ""
    legend: str = ""
    too_few: str = ""
    mixed: Sequence[str] = field(default_factory=list)
    interval: str = ""
    bar: Bar | None = None
    bar_sentence: str = ""
    trend: Trend | None = None
    trend_text: str = ""
    verdict: Verdict | None = None


def rows(answers: Mapping[str, Answer], wording: Wording, zone: ZoneInfo) -> list[tuple[str, list[Row]]]:
    """The heading and the rows of each group; `answers` by metric, with a weekly series and a comparison."""
    return [
        (wording.text(f"group.{name}"), [row(listed, answers[listed.metric], wording, zone) for listed in group])
        for name, group in GROUPS
    ]


def row(listed: Listed, answer: Answer, wording: Wording, zone: ZoneInfo) -> Row:
    n = answer["n"]
    shown: dict[str, Any] = {
        "name": wording.text(f"metric.{listed.metric}"),
        "about": wording.text(
            f"about.{listed.metric}", scale=figures.about_scale(answer["scale"] if n else None, wording)
        ),
    }
    if n == 0:
        return Row(**shown, nothing=wording.text(f"nothing.{listed.noun}"))
    shown |= {
        "n": wording.numerals.plain(n),
        "noun": wording.noun(listed.noun, n),
        "verdict": _verdict(answer, wording),
    }
    if answer.get("reason") == "mixed_scales":
        return Row(**shown, mixed=[_on_one_scale(part, listed, answer["unit"], wording) for part in answer["groups"]])
    if n < INDICATIVE:
        return Row(**shown, **_counted(listed, answer, wording))
    return Row(**shown, **_measured(answer, wording, zone), **_trend(answer, wording))


def _counted(listed: Listed, answer: Answer, wording: Wording) -> dict[str, Any]:
    """Too few for a value: what there is, one by one."""
    counts = {name: wording.numerals.plain(number) for name, number in answer["counts"].items()}
    counts["rest"] = wording.numerals.plain(answer["n"] - answer["counts"].get("followup", 0))
    told = wording.texts.get(f"counts.{listed.metric}", "").format(**counts)
    return {
        "too_few": wording.text(f"too_few.{listed.noun}"),
        "counts": _BETWEEN.join(wording.glued(part) for part in told.split(_BETWEEN)),
        "legend": wording.texts.get(f"legend.{listed.metric}", ""),
    }


def _measured(answer: Answer, wording: Wording, zone: ZoneInfo) -> dict[str, Any]:
    unit, value, scale = answer["unit"], answer["value"], answer["scale"]
    until = answer["provisional_until"]
    return {
        "value": figures.written(unit, value, wording),
        "unit": wording.text(f"unit.{unit}", high=wording.numerals.short(scale["max"]) if scale else ""),
        "indicative": answer["n"] < ENOUGH,
        "provisional": wording.text("provisional", day=_day(until, zone, wording)) if until else "",
        **_interval(answer, wording),
    }


def _day(moment: str, zone: ZoneInfo, wording: Wording) -> str:
    return wording.glued(short_day(datetime.fromisoformat(moment).astimezone(zone).date(), wording))


def _interval(answer: Answer, wording: Wording) -> dict[str, Any]:
    unit, value, bounds = answer["unit"], answer["value"], answer["interval"]
    scale = figures.ends(unit, answer["scale"])
    if bounds is None or scale is None:
        return {"interval": wording.text("interval.median" if unit == "hours" else "interval.none")}
    text = figures.interval(unit, value, bounds, wording)
    lowest, highest = (wording.numerals.short(end) for end in scale)
    sentence = wording.text(
        "interval.sentence",
        interval=text,
        value=figures.spoken(unit, value, wording),
        lowest=lowest,
        highest=highest,
    )
    return {
        "interval": text,
        "bar": interval_bar(bounds["low"], value, bounds["high"], scale),
        "bar_sentence": sentence,
    }


def _on_one_scale(part: Answer, listed: Listed, unit: str, wording: Wording) -> str:
    named = figures.scale_range(part["key"]["scale"], wording)
    n = wording.counted(listed.noun, part["n"])
    if part["n"] < INDICATIVE or part["interval"] is None:
        return wording.text("mixed.few", scale=named, n=n)
    interval = figures.interval(unit, part["value"], part["interval"], wording)
    return wording.text(
        "mixed.part", scale=named, value=figures.written(unit, part["value"], wording), interval=interval, n=n
    )


def _trend(answer: Answer, wording: Wording) -> dict[str, Any]:
    weeks = [_week(bucket) for bucket in answer["series"]]
    values = [week.value for week in weeks if week]
    if len(values) < _LEAST_WEEKS:
        return {"trend_text": wording.text("trend.few")}
    first, last, least, most = (
        figures.spoken(answer["unit"], value, wording) for value in (values[0], values[-1], min(values), max(values))
    )
    return {
        "trend": trend(weeks, _LEAST_SPAN[answer["unit"]], running=_is_running(answer["series"][-1], weeks[-1])),
        "trend_text": wording.text("trend.sentence", first=first, last=last, least=least, most=most),
    }


def _week(bucket: Answer) -> Week | None:
    bounds, n = bucket["interval"], bucket["n"]
    if n < _LEAST_OF_A_WEEK or bucket["value"] is None:
        return None
    return Week(bucket["value"], (bounds["low"], bounds["high"]) if bounds and n >= INDICATIVE else None)


def _is_running(bucket: Answer, week: Week | None) -> bool:
    """The last bucket is cut off at the end of today."""
    start, end = (datetime.fromisoformat(bucket[name]) for name in ("from", "to"))
    return week is not None and end - start < _WHOLE_WEEK


def _verdict(answer: Answer, wording: Wording) -> Verdict:
    """A change only where the API says so, and none is looked for between counts too small to show a value."""
    before = answer["comparison"]
    if before["p"] is None or min(answer["n"], before["n"]) < INDICATIVE:
        return Verdict(wording.text("verdict.none"))
    if not before["changed"]:
        return Verdict(wording.text("verdict.same"))
    direction = "rise" if before["difference"] > 0 else "fall"
    size = figures.difference(answer["unit"], answer["value"], before["difference"], wording)
    return Verdict(wording.glued(f"{wording.text(f'verdict.{direction}')} {size}"), direction)
