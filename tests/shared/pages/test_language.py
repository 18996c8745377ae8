import pytest

from shared.pages.language import Language, choose


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "pl"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("pl-PL,pl;q=0.9,en-US;q=0.8,en;q=0.7", "pl"),
        ("en;q=0.5, pl;q=0.4", "en"),
        ("de-DE,de;q=0.9,en;q=0.3", "en"),
        ("de,fr;q=0.5", "pl"),
        ("en;q=0", "pl"),
        ("EN-us", "en"),
        ("en;q=much,pl;q=0.1", "pl"),
        ("*", "pl"),
        (",;=,", "pl"),
    ],
)
def test_the_reader_decides(header: str, language: Language) -> None:
    assert choose(None, header) == language


def test_what_was_asked_for_goes_before_what_the_reader_prefers() -> None:
    assert choose("pl", "en") == "pl"
    assert choose("en", "pl") == "en"
