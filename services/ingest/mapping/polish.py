"""Dates as they are written in Polish: day before month, months by name. Nothing is guessed: a year has four digits."""

import re
from datetime import datetime

_MONTHS = {
    form: number
    for number, forms in enumerate(
        (
            "stycznia styczeń styczen sty",
            "lutego luty lut",
            "marca marzec mar",
            "kwietnia kwiecień kwiecien kwi",
            "maja maj",
            "czerwca czerwiec cze",
            "lipca lipiec lip",
            "sierpnia sierpień sierpien sie",
            "września wrzesnia wrzesień wrzesien wrz",
            "października pazdziernika październik pazdziernik paź paz",
            "listopada listopad lis",
            "grudnia grudzień grudzien gru",
        ),
        start=1,
    )
    for form in forms.split()
}
_POLISH = re.compile(
    r"([0-9]{1,2})(?:([.\-/])([0-9]{1,2})\2|\.? ([a-ząćęłńóśźż]{3,12})\.?,? )([0-9]{4})(?: ?r\.| roku)?"
    r"(?:,? (?:o )?(?:godz\. ?|g\. ?)?([0-9]{1,2})[:.]([0-9]{2})(?:[:.]([0-9]{2}))?)?"
)


def read_polish(text: str) -> datetime | None:
    """Without an offset: `22.11.2026 14:05`, `22-11-2026`, `22 listopada 2026 r., godz. 14:05`, `22 lis 2026`.

    None for what is not written so, ValueError for a day or an hour that does not exist.
    """
    match = _POLISH.fullmatch(" ".join(text.split()).lower())
    if match is None:
        return None
    day, _, digits, name, year, hour, minute, second = match.groups()
    month = int(digits) if digits else _MONTHS.get(name)
    if month is None:
        return None
    return datetime(int(year), month, int(day), int(hour or 0), int(minute or 0), int(second or 0))  # noqa: DTZ001
