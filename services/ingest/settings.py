"""What ingest reads from its environment beyond what every service does."""

import re
from pathlib import Path

from pydantic import Field, field_validator

from shared.settings import Settings

_ADDRESS = re.compile(r"https?://[^\s/?#]+[^\s?#]*")
_PAGE = re.compile(r"https?://[^\s/?#]+\S*")
_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_LOGOS = (".svg", ".png", ".jpg", ".jpeg", ".webp")
_LARGEST_LOGO = 256 * 1024


class IngestSettings(Settings):
    """`max_events_per_second` is for one source in one process; 0 is no limit.

    What survey pages say of the brand: without a name they say "we". `brand_logo` is a file, at most 256 KiB.
    `public_url` stands before the path of a survey's link, and of a webhook whose sender signs its address; without it,
    the address that was asked does. `sources` is a folder with documents of sources.
    """

    max_events_per_second: int = Field(default=0, ge=0, validation_alias="INGEST_MAX_EVENTS_PER_SECOND")
    public_url: str | None = None
    brand_name: str | None = Field(default=None, max_length=60)
    brand_colour: str = "#6A2A5B"
    brand_logo: Path | None = None
    privacy_url: str | None = None
    sources: Path | None = None

    @field_validator("public_url")
    @classmethod
    def _is_where_customers_come(cls, value: str | None) -> str | None:
        if value is not None and not _ADDRESS.fullmatch(value):
            raise ValueError(f"{value!r} is no address: give one like https://feedback.example.com")
        return value and value.rstrip("/")

    @field_validator("sources")
    @classmethod
    def _is_a_folder(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_dir():
            raise ValueError(f"{value} is no folder: name the one with your sources' documents")
        return value

    @field_validator("privacy_url")
    @classmethod
    def _is_a_page(cls, value: str | None) -> str | None:
        if value is not None and not _PAGE.fullmatch(value):
            raise ValueError(f"{value!r} is no address: give one like https://example.com/privacy")
        return value

    @field_validator("brand_colour")
    @classmethod
    def _is_a_colour(cls, value: str) -> str:
        if not _COLOUR.fullmatch(value):
            raise ValueError(f"{value!r} is no colour: give one like #2E5E3A")
        return value

    @field_validator("brand_logo")
    @classmethod
    def _is_a_small_picture(cls, value: Path | None) -> Path | None:
        if value is None:
            return None
        if value.suffix not in _LOGOS:
            raise ValueError(f"{value.name!r} is no picture that is taken: give one of {', '.join(_LOGOS)}")
        if not value.is_file() or value.stat().st_size > _LARGEST_LOGO:
            raise ValueError(f"{value} is no file of at most {_LARGEST_LOGO // 1024} KiB that can be read")
        return value
