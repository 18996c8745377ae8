"""How much a row says: the value from 100, about from 30, counts below, and never a zero for nothing."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.scoring.pages.ledger import Listed, Row, row
from services.scoring.pages.wording import wording
from tests.scoring.pages.answers import answer, comparison, week

PL, EN = wording("pl"), wording("en")
NPS = Listed("nps", "answers")
SPACE, MINUS = "\N{NO-BREAK SPACE}", "\N{MINUS SIGN}"


def shown(answered: dict[str, Any], listed: Listed = NPS, language: str = "pl") -> Row:
    return row(listed, answered, PL if language == "pl" else EN, ZoneInfo("Europe/Warsaw"))


def test_a_hundred_answers_have_a_value_with_interval_and_n() -> None:
    made = shown(answer(1184))
    assert (made.name, made.about) == ("NPS", "promotorzy − krytycy, w punktach")
    assert (made.value, made.unit, made.interval) == ("34", "pkt", "od 30 do 39")
    assert (made.n, made.noun) == (f"1{SPACE}184", "odpowiedzi")
    assert not made.indicative
    assert made.bar
    assert made.bar_sentence == f"Przedział 95% od 30 do 39, wynik 34{SPACE}pkt, skala od {MINUS}100 do 100."


def test_the_same_in_english() -> None:
    made = shown(answer(1184), language="en")
    assert (made.value, made.unit, made.interval, made.n, made.noun) == ("34", "pts", "30 to 39", "1,184", "answers")


@pytest.mark.parametrize(("n", "indicative", "has_value"), [(100, False, True), (99, True, True), (30, True, True)])
def test_from_thirty_to_ninety_nine_is_indicative(n: int, indicative: bool, has_value: bool) -> None:
    made = shown(answer(n))
    assert (made.indicative, bool(made.value)) == (indicative, has_value)


@pytest.mark.parametrize("n", [1, 26, 29])
def test_fewer_than_thirty_are_only_counted(n: int) -> None:
    made = shown(answer(n))
    assert (made.value, made.bar, made.interval, made.trend) == ("", None, "", None)
    assert made.counts == f"15{SPACE}/{SPACE}6{SPACE}/{SPACE}5"
    assert made.legend == "promotorzy / pasywni / krytycy"
    assert made.too_few == "za mało odpowiedzi"
    assert made.verdict
    assert made.verdict.text == "bez porównania"


def test_nothing_is_never_a_zero() -> None:
    made = shown(answer(0))
    assert made == Row("NPS", "promotorzy − krytycy, w punktach", nothing="Jeszcze nikt nie odpowiedział")


@pytest.mark.parametrize(
    ("listed", "counts", "n", "text"),
    [
        (Listed("recommend", "answers"), {"positive": 17, "neutral": 0, "detractor": 4}, 21, "17 tak · 4 nie"),
        (Listed("late_delivery", "deliveries"), {"late": 2, "on_time": 9}, 11, "2 po czasie · 9 na czas"),
        (
            Listed("followup_coverage", "detractors"),
            {"followup": 5, "missing": 0, "too_old": 2},
            7,
            "5 ze sprawą · 2 bez",
        ),
        (Listed("close_rate", "followups"), {"closed": 3, "open": 1}, 4, "zamknięte 3 · otwarte 1"),
        (Listed("time_to_first_attempt", "attempts"), {}, 4, ""),
    ],
)
def test_counts_of_each_metric(listed: Listed, counts: dict[str, int], n: int, text: str) -> None:
    made = shown(answer(n, counts=counts, scale=None, unit="percent"), listed)
    assert made.counts.replace(SPACE, " ") == text
    assert made.counts.count(" ") in (0, 2)  # breaks only between the counts


@pytest.mark.parametrize(
    ("unit", "value", "low", "high", "scale", "expected"),
    [
        ("percent", 84.04, 81.3, 86.4, None, ("84", "%", "od 81 do 86%")),
        ("percent", 6.6, 5.48, 7.91, None, ("6,6", "%", "od 5,5 do 7,9%")),
        ("percent", 9.99, 9.0, 11.0, None, ("10,0", "%", "od 9,0 do 11,0%")),
        ("percent", 10.0, 9.04, 11.4, None, ("10", "%", "od 9 do 11%")),
        ("score", 5.35, 5.0, 5.81, {"min": 1, "max": 7}, ("5,4", "/ 7", "od 5,0 do 5,8")),
        ("points", -12.5, -20.4, -4.6, None, (f"{MINUS}13", "pkt", f"od {MINUS}20 do {MINUS}5")),
    ],
)
def test_value_and_interval_share_their_rounding(
    unit: str, value: float, low: float, high: float, scale: Any, expected: tuple[str, str, str]
) -> None:
    made = shown(answer(unit=unit, value=value, interval={"low": low, "high": high}, scale=scale))
    assert (made.value, made.unit, made.interval) == expected


def test_a_median_says_that_it_has_no_interval() -> None:
    made = shown(answer(301, unit="hours", value=5.58, interval=None, scale=None))
    assert (made.value, made.unit, made.interval, made.bar) == ("5,6", "h", "mediana: bez przedziału", None)


def test_a_change_is_told_only_where_the_api_says_so() -> None:
    rise = shown(answer()).verdict
    assert rise
    assert (rise.text, rise.direction) == (f"wzrost{SPACE}+8{SPACE}pkt", "rise")
    same = shown(answer(comparison=comparison(changed=False))).verdict
    assert same
    assert (same.text, same.direction) == ("bez istotnej zmiany", "")


@pytest.mark.parametrize(
    ("unit", "value", "difference", "text"),
    [
        ("percent", 6.6, -2.6, "spadek −2,6 p.p."),
        ("percent", 87, 7.2, "wzrost +7 p.p."),
        ("percent", 87, 0.43, "wzrost +0,4 p.p."),
        ("score", 5.4, -0.31, "spadek −0,3"),
    ],
)
def test_the_size_of_a_change_never_reads_as_none(unit: str, value: float, difference: float, text: str) -> None:
    scale = {"min": 1, "max": 7}
    verdict = shown(answer(unit=unit, value=value, scale=scale, comparison=comparison(difference=difference))).verdict
    assert verdict
    assert verdict.text.replace(SPACE, " ") == text


@pytest.mark.parametrize("missing", [{"p": None, "difference": None, "changed": False}, {"n": 29}])
def test_no_comparison_without_a_test_or_with_too_few_before(missing: dict[str, Any]) -> None:
    verdict = shown(answer(comparison=comparison(**missing))).verdict
    assert verdict
    assert (verdict.text, verdict.direction) == ("bez porównania", "")


def test_provisional_names_its_day_in_the_zone() -> None:
    made = shown(answer(provisional_until="2026-11-25T23:30:00Z"))
    assert made.provisional == "wstępne do 26.11"


def test_a_trend_is_a_drawing_and_a_sentence() -> None:
    made = shown(answer())
    assert made.trend
    assert made.trend.running
    assert len(made.trend.bands) == 1
    assert made.trend_text.replace(SPACE, " ") == (
        "Tydzień po tygodniu: od 28 pkt do 34 pkt, najmniej 28 pkt, najwięcej 36 pkt."
    )


def test_thin_weeks_have_no_band_and_thinner_ones_no_line() -> None:
    thin = shown(answer(series=[week(day, 30, n=20) for day in (26, 2, 9, 16)]))
    assert thin.trend
    assert thin.trend.bands == []
    assert not thin.trend.running
    thinner = shown(answer(series=[week(day, 30, n=9) for day in (26, 2, 9, 16)]))
    assert thinner.trend is None
    assert thinner.trend_text == "za mało na tydzień"


def test_scales_are_told_in_words() -> None:
    ces = Listed("ces", "answers")
    five = shown(answer(unit="score", value=4.2, interval={"low": 4.0, "high": 4.4}, scale={"min": 1, "max": 5}), ces)
    assert five.about.replace("\N{WORD JOINER}", "") == "łatwość, średnia w skali 1–5"
    lower = {"min": 1, "max": 7, "direction": "lower_better"}
    turned = shown(answer(unit="score", value=2.2, interval={"low": 2.0, "high": 2.4}, scale=lower), ces)
    assert turned.about.endswith("mniej znaczy lepiej")


def test_mixed_scales_are_told_one_by_one() -> None:
    parts = [
        {"key": {"scale": {"min": 1, "max": 5}}, "n": 120, "value": 4.2, "interval": {"low": 4.05, "high": 4.35}},
        {"key": {"scale": {"min": 1, "max": 7}}, "n": 3, "value": 5.0, "interval": {"low": 1.0, "high": 7.0}},
    ]
    mixed = answer(
        123,
        unit="score",
        value=None,
        interval=None,
        scale=None,
        reason="mixed_scales",
        groups=parts,
        comparison=comparison(difference=None, p=None, changed=False),
    )
    made = shown(mixed, Listed("ces", "answers"))
    assert made.value == ""
    assert [part.replace("\N{WORD JOINER}", "").replace(SPACE, " ") for part in made.mixed] == [
        "1–5: 4,2 (od 4,1 do 4,4), 120 odpowiedzi",
        "1–7: 3 odpowiedzi",
    ]
