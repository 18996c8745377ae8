"""Numbers as people of each language write them; the right-hand sides are written by hand."""

import pytest

from services.scoring.pages.numbers import ENGLISH, POLISH


@pytest.mark.parametrize(
    ("value", "places", "polish", "english"),
    [
        (0, 0, "0", "0"),
        (1184, 0, "1\N{NO-BREAK SPACE}184", "1,184"),
        (1234567, 0, "1\N{NO-BREAK SPACE}234\N{NO-BREAK SPACE}567", "1,234,567"),
        (6.6, 1, "6,6", "6.6"),
        (5.35, 1, "5,4", "5.4"),
        (1234.55, 1, "1\N{NO-BREAK SPACE}234,6", "1,234.6"),
        (34.5, 0, "35", "35"),
        (35.5, 0, "36", "36"),
        (-2.64, 1, "\N{MINUS SIGN}2,6", "\N{MINUS SIGN}2.6"),
        (-12.5, 0, "\N{MINUS SIGN}13", "\N{MINUS SIGN}13"),
        (-0.04, 1, "0,0", "0.0"),
        (2.675, 2, "2,68", "2.68"),
        (1e-07, 1, "0,0", "0.0"),
    ],
)
def test_plain(value: float, places: int, polish: str, english: str) -> None:
    assert POLISH.plain(value, places) == polish
    assert ENGLISH.plain(value, places) == english


@pytest.mark.parametrize(
    ("value", "places", "written"),
    [
        (8.2, 0, "+8"),
        (-2.6, 1, "\N{MINUS SIGN}2,6"),
        (0.4, 0, "0"),
        (-0.4, 0, "0"),
        (1500, 0, "+1\N{NO-BREAK SPACE}500"),
    ],
)
def test_signed_only_where_something_is_left(value: float, places: int, written: str) -> None:
    assert POLISH.signed(value, places) == written


@pytest.mark.parametrize(("value", "written"), [(7, "7"), (4.5, "4,5"), (10.0, "10"), (-100.0, "\N{MINUS SIGN}100")])
def test_short_has_no_empty_decimals(value: float, written: str) -> None:
    assert POLISH.short(value) == written
