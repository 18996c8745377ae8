"""What the bar on top of every page says. Pure."""

from collections.abc import Mapping

from shared.pages.language import Language

WORDS: Mapping[Language, Mapping[str, str]] = {
    "pl": {
        "skip": "Przejdź do treści",
        "pages": "Strony",
        "overview": "Przegląd",
        "sources": "Źródła",
        "api": "Opis API",
        "language": "Polski",
    },
    "en": {
        "skip": "Skip to content",
        "pages": "Pages",
        "overview": "Overview",
        "sources": "Sources",
        "api": "API",
        "language": "English",
    },
}
