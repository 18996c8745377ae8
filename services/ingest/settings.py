"""What ingest reads from its environment beyond what every service does."""

from pydantic import Field

from shared.settings import Settings


class IngestSettings(Settings):
    """`max_events_per_second` is for one source in one process; 0 is no limit."""

    max_events_per_second: int = Field(default=0, ge=0, validation_alias="INGEST_MAX_EVENTS_PER_SECOND")
