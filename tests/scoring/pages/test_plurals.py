import pytest

from services.scoring.pages import plurals

_SPRAWA = ("sprawa", "sprawy", "spraw")


@pytest.mark.parametrize(
    ("form", "numbers"),
    [
        ("sprawa", [1]),
        ("sprawy", [2, 3, 4, 22, 23, 24, 32, 102, 104, 124, 1_002, 1_024]),
        ("spraw", [0, 5, 6, 9, 10, 11, 12, 13, 14, 15, 19, 20, 21, 25, 31, 100, 101, 111, 112, 113, 114, 1_000, 1_012]),
    ],
)
def test_polish(form: str, numbers: list[int]) -> None:
    assert {plurals.polish(number, _SPRAWA) for number in numbers} == {form}


@pytest.mark.parametrize(("number", "form"), [(0, "days"), (1, "day"), (2, "days"), (21, "days"), (101, "days")])
def test_english(number: int, form: str) -> None:
    assert plurals.english(number, ("day", "days")) == form
