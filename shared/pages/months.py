"""The names of the months as a date needs them: after the day. Pure."""

from collections.abc import Mapping, Sequence

from shared.pages.language import Language

MONTHS: Mapping[Language, Sequence[str]] = {
    "pl": (
        "stycznia",
        "lutego",
        "marca",
        "kwietnia",
        "maja",
        "czerwca",
        "lipca",
        "sierpnia",
        "września",
        "października",
        "listopada",
        "grudnia",
    ),
    "en": (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
}
