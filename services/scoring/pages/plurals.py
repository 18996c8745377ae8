"""Which form of a noun a number takes: Polish 1 sprawa, 2–4 sprawy, 5 and more spraw; English 1 case, 2 cases. Pure."""

from collections.abc import Sequence


def polish(number: int, forms: Sequence[str]) -> str:
    """`forms` are those after 1, after 2–4 and after 5."""
    one, few, many = forms
    if number == 1:
        return one
    return few if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14) else many


def english(number: int, forms: Sequence[str]) -> str:
    """`forms` are those after 1 and after any other number."""
    one, other = forms
    return one if number == 1 else other
