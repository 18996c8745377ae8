"""Every term of the API stands in a sum, and each sum says whether it holds."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.scoring.pages.sums import Sums, sums
from services.scoring.pages.wording import wording
from tests.scoring.pages.answers import reconciliation

SPACE = "\N{NO-BREAK SPACE}"


def told(answer: dict[str, Any]) -> Sums:
    return sums(answer, ZoneInfo("Europe/Warsaw"), wording("pl"))


def with_detractors(**changed: int) -> dict[str, Any]:
    made = reconciliation()
    return made | {"detractors": made["detractors"] | changed}


def test_all_terms_one_by_one() -> None:
    page = told(reconciliation())
    assert [(one.total, one.terms) for one in page.sums] == [
        (
            ("odebrane", f"2{SPACE}418"),
            [
                ("nowe", f"2{SPACE}312"),
                ("duplikaty", "87"),
                ("sprzeczne", "3"),
                ("odrzucone: nieczytelne", "16"),
            ],
        ),
        (("nowe", f"2{SPACE}312"), [("ocenione", f"2{SPACE}241"), ("cofnięte", "11"), ("zastąpione", "60")]),
        (("odebrane", "9"), [("nowe", "9"), ("duplikaty", "0"), ("sprzeczne", "0"), ("odrzucone", "0")]),
        (
            ("krytycy", "326"),
            [
                ("sprawy", "301"),
                ("bez zgody na kontakt", "3"),
                ("ta sama ankieta", "14"),
                ("za stare", "8"),
                ("bez sprawy", "0"),
            ],
        ),
    ]
    assert {(one.kind, one.verdict) for one in page.sums} == {("balanced", "zgadza się")}
    assert page.kind == "settled"
    assert page.note.endswith("Rozliczone do końca dziennika, 10:42.")


@pytest.mark.parametrize(
    ("changed", "verdict"), [({"total": 330}, "różnica +4"), ({"total": 320}, "różnica \N{MINUS SIGN}6")]
)
def test_a_difference_is_told_with_its_size(changed: dict[str, int], verdict: str) -> None:
    page = told(with_detractors(**changed) | {"balanced": False})
    assert (page.sums[-1].kind, page.sums[-1].verdict) == ("wrong", verdict)
    assert page.sums[0].kind == "balanced"
    assert page.kind == "unbalanced"


def test_a_detractor_without_a_follow_up_is_wrong_although_the_sum_holds() -> None:
    page = told(with_detractors(followups=299, missing=2) | {"balanced": False})
    assert (page.sums[-1].kind, page.sums[-1].verdict) == ("wrong", "bez sprawy: 2")


def test_lost_events_are_wrong_although_the_sum_holds() -> None:
    answer = reconciliation(balanced=False)
    answer["topics"]["petla.activity"]["lost"] = 5
    activity = told(answer).sums[2]
    assert (activity.kind, activity.verdict) == ("wrong", f"brak 5{SPACE}zdarzeń")


def test_what_is_not_settled_is_still_being_counted() -> None:
    page = told(with_detractors(followups=299, missing=2) | {"settled": False, "balanced": False})
    assert (page.sums[-1].kind, page.sums[-1].verdict) == ("counting", "jeszcze liczę")
    assert page.sums[0].kind == "balanced"
    assert page.kind == "unsettled"
    assert page.note.startswith("Jeszcze liczę")
