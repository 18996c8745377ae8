"""Everything the pages of uploads say, in one language. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from services.ingest.uploads import english, polish
from shared.pages.language import Language

_NO_BREAK = "\N{NO-BREAK SPACE}"
_THOUSANDS = {"pl": _NO_BREAK, "en": ","}
_POINT = {"pl": ",", "en": "."}
_KILO, _MEGA = 1024, 1024 * 1024


@dataclass(frozen=True)
class Wording:
    """A text that is missing is a KeyError: both languages say the same things."""

    language: Language
    texts: Mapping[str, str]
    nouns: Mapping[str, Sequence[str]]

    def text(self, key: str, **values: object) -> str:
        return self.texts[key].format(**values)

    def flaw(self, code: str | None) -> str:
        """What is wrong with a row, in short; one that is newer than this page is wrong all the same."""
        return self.texts.get(f"flaw.{code}", self.texts["flaw.other"])

    def fault(self, code: str | None) -> str:
        """What is wrong with a file, or ended its import, and what to do."""
        return self.texts.get(f"fault.{code}", self.texts["fault.other"])

    def number(self, number: int) -> str:
        return f"{number:,}".replace(",", _THOUSANDS[self.language])

    def counted(self, noun: str, number: int) -> str:
        """The number with its noun, on one line."""
        forms = self.nouns[noun]
        form = _polish_form(number) if self.language == "pl" else int(number != 1)
        return f"{self.number(number)}{_NO_BREAK}{forms[form]}"

    def size(self, count: int) -> str:
        if count < _KILO:
            return f"{count}{_NO_BREAK}B"
        if count < _MEGA:
            return f"{round(count / _KILO)}{_NO_BREAK}KB"
        number = f"{count / _MEGA:.1f}".removesuffix(".0").replace(".", _POINT[self.language])
        return f"{number}{_NO_BREAK}MB"

    def at(self, moment: datetime, zone: ZoneInfo) -> str:
        local = moment.astimezone(zone)
        return f"{local.hour}:{local.minute:02}"


def _polish_form(number: int) -> int:
    if number == 1:
        return 0
    return 1 if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14) else 2


_WORDINGS: Mapping[Language, Wording] = {
    "pl": Wording("pl", polish.TEXTS, polish.NOUNS),
    "en": Wording("en", english.TEXTS, english.NOUNS),
}


def wording(language: Language) -> Wording:
    return _WORDINGS[language]
