"""A wrong setting of the survey pages is one sentence that says what to give instead."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from services.ingest.settings import IngestSettings


def mistake(**settings: Any) -> str:
    with pytest.raises(ValidationError) as raised:
        IngestSettings(**settings)
    (error,) = raised.value.errors()
    return str(error["msg"])


def test_a_brand(tmp_path: Path) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text("<svg/>")
    settings = IngestSettings(brand_name="Olcha i Dąb", brand_colour="#2e5", brand_logo=logo)
    assert (settings.brand_name, settings.brand_colour, settings.brand_logo) == ("Olcha i Dąb", "#2e5", logo)


@pytest.mark.parametrize("colour", ["green", "2E5E3A", "#2E5E3", "#2E5E3AFF", "#GGGGGG", "#2E5E3A;}", "#2E5E3A\n"])
def test_what_is_no_colour(colour: str) -> None:
    assert "give one like #2E5E3A" in mistake(brand_colour=colour)


@pytest.mark.parametrize("url", ["example.com", "ftp://example.com", "https://", "https://a b", "javascript:alert(1)"])
def test_what_is_no_address(url: str) -> None:
    assert "give one like https://" in mistake(public_url=url)
    assert "give one like https://" in mistake(privacy_url=url)


def test_an_address_of_ours_has_no_query() -> None:
    assert "give one like https://" in mistake(public_url="https://example.com/?a=1")


@pytest.mark.parametrize(("name", "size"), [("logo.svg", None), ("logo.svg", 256 * 1024 + 1), ("logo.gif", 10)])
def test_what_is_no_logo(tmp_path: Path, name: str, size: int | None) -> None:
    if size is not None:
        (tmp_path / name).write_bytes(b"x" * size)
    assert name in mistake(brand_logo=tmp_path / name)
