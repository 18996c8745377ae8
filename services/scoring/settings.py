"""What scoring reads from its environment."""

from pydantic import Field

from shared.settings import Settings

DEFAULT_PORT = 8082


class ScoringSettings(Settings):
    """`scoring_database_url` names the database itself; without it, it is made on the server of DATABASE_URL."""

    scoring_database_url: str | None = Field(default=None, validation_alias="SCORING_DATABASE_URL")
