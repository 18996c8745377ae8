"""What scoring reads from its environment."""

from pydantic import Field, field_validator

from shared.settings import Settings, refuse_no_database


class ScoringSettings(Settings):
    """`scoring_database_url` names the database itself; without it, it is made on the server of DATABASE_URL."""

    scoring_database_url: str | None = Field(default=None, validation_alias="SCORING_DATABASE_URL")

    @field_validator("scoring_database_url")
    @classmethod
    def _names_a_database(cls, value: str | None) -> str | None:
        return refuse_no_database(value)

    @property
    def own_database(self) -> str | None:
        """Its URL; None: on the embedded server."""
        return self.scoring_database_url or self.database_on_server("scoring")
