"""Everything a page says, in one language: its texts, its plural forms and the way it writes numbers. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from services.scoring.pages import english, plurals, polish, sources_english, sources_polish
from services.scoring.pages.numbers import ENGLISH, NO_BREAK_SPACE, POLISH, Numerals
from shared.pages.language import Language
from shared.pages.months import MONTHS


@dataclass(frozen=True)
class Wording:
    """A text that is missing is a KeyError: both languages say the same things."""

    language: Language
    texts: Mapping[str, str]
    nouns: Mapping[str, Sequence[str]]
    months: Sequence[str]
    short_months: Sequence[str]
    numerals: Numerals
    plural: Callable[[int, Sequence[str]], str]

    def text(self, key: str, **values: object) -> str:
        return self.texts[key].format(**values)

    def known(self, prefix: str, code: str) -> str:
        """The word for a code of the API; one that is newer than this page stands for itself."""
        return self.texts.get(f"{prefix}.{code}", code)

    def noun(self, key: str, number: int) -> str:
        return self.plural(number, self.nouns[key])

    def counted(self, key: str, number: int) -> str:
        """The number with its noun, on one line."""
        return f"{self.numerals.plain(number)}{NO_BREAK_SPACE}{self.noun(key, number)}"

    def glued(self, text: str) -> str:
        return text.replace(" ", NO_BREAK_SPACE)


_POLISH = Wording(
    "pl",
    polish.TEXTS | sources_polish.TEXTS,
    polish.NOUNS | sources_polish.NOUNS,
    MONTHS["pl"],
    MONTHS["pl"],
    POLISH,
    plurals.polish,
)
_ENGLISH = Wording(
    "en",
    english.TEXTS | sources_english.TEXTS,
    english.NOUNS | sources_english.NOUNS,
    MONTHS["en"],
    english.SHORT_MONTHS,
    ENGLISH,
    plurals.english,
)
_WORDINGS: Mapping[Language, Wording] = {"pl": _POLISH, "en": _ENGLISH}


def wording(language: Language) -> Wording:
    return _WORDINGS[language]
