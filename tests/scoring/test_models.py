"""The models are the tables that the migrations make."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from services.scoring.models import Table
from shared.db import Database


async def test_models_equal_migrations(scoring_db: Database) -> None:
    async with scoring_db.transaction() as tx:
        differences = await tx.run_sync(difference)
    assert differences == []


def difference(connection: Connection) -> list[Any]:
    modelled = set(Table.metadata.tables)

    def of_a_model(item: object, name: str | None, kind: str, reflected: bool, compared: object) -> bool:
        # Other tables are asked in SQL only, and indexes are the migrations' alone.
        return name in modelled if kind == "table" else kind == "column"

    context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": of_a_model})
    return list(compare_metadata(context, Table.metadata))
