"""What every process reads from its environment. Each service adds its own in its `settings.py`."""

import re
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.data_folder import default_data
from shared.log.port import Topic

_WEEK_HOURS = 7 * 24
_PREFIX = re.compile(r"[A-Za-z0-9._-]{0,50}")


class Settings(BaseSettings):
    """Environment names carry the prefix `PETLA_`; what has another name says so. An empty value is none."""

    model_config = SettingsConfigDict(env_prefix="PETLA_", env_ignore_empty=True, frozen=True, extra="ignore")

    data: Path = Field(default_factory=default_data)
    host: str = "127.0.0.1"
    port: int | None = Field(default=None, ge=1, le=65_535)
    topic_prefix: str = "petla."
    database_prefix: str = "petla_"
    partitions: int = Field(default=12, ge=1, le=1_000)
    timezone: str = "Europe/Warsaw"
    postgres_bin: Path | None = None
    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL")

    @field_validator("topic_prefix", "database_prefix")
    @classmethod
    def _names_anything(cls, value: str) -> str:
        """Topics are files too, and PostgreSQL cuts a long name off."""
        if not _PREFIX.fullmatch(value):
            raise ValueError(f"{value!r} is no prefix: at most 50 letters, digits, '.', '_' and '-'")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError, KeyError) as error:
            raise ValueError(f"{value!r} is no time zone; name one like Europe/Warsaw") from error
        return value

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def topic(self, name: str) -> str:
        return self.topic_prefix + name

    def topics(self) -> list[Topic]:
        """Every topic with its retention: facts are the memory, the log is the way there."""
        kept_a_week = ("feedback", "activity", "scores", "followups")
        return [
            *(Topic(self.topic(name), self.partitions, _WEEK_HOURS) for name in kept_a_week),
            Topic(self.topic("config"), 1, None, compacted=True),
        ]
