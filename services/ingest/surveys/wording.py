"""Everything a survey's page says, in one language. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from services.ingest.surveys import english, polish
from shared.pages.language import Language
from shared.pages.months import MONTHS

_ONE_LINE = 20  # characters of a name that fit on one line of any phone
_THOUSANDS = {"pl": "\N{NO-BREAK SPACE}", "en": ","}


@dataclass(frozen=True)
class Wording:
    """A text that is missing is a KeyError: both languages say the same things. `brand` None: the pages say "we"."""

    language: Language
    texts: Mapping[str, str]
    brand: str | None

    def text(self, key: str, **values: object) -> str:
        return self.texts[key].format(**values)

    def named(self, key: str, **values: object) -> str:
        """The text that has the brand's name in it, where there is one."""
        if not self.brand:
            return self.text(key, **values)
        together = len(self.brand) <= _ONE_LINE
        brand = self.brand.replace(" ", "\N{NO-BREAK SPACE}") if together else self.brand
        return self.text(f"{key}.named", brand=brand, **values)

    def number(self, number: int) -> str:
        return f"{number:,}".replace(",", _THOUSANDS[self.language])

    def day(self, day: date, today: date) -> str:
        """With its year only where that is another."""
        told = f"{day.day}\N{NO-BREAK SPACE}{MONTHS[self.language][day.month - 1]}"
        return told if day.year == today.year else f"{told} {day.year}"


_TEXTS: Mapping[Language, Mapping[str, str]] = {"pl": polish.TEXTS, "en": english.TEXTS}


def wording(language: Language, brand: str | None) -> Wording:
    return Wording(language, _TEXTS[language], brand)
