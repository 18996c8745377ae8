"""The tables that the code reads are the tables that the migrations make."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from services.alerts.models import Table
from shared.consumer import tables
from shared.db import Database
from shared.erasure import tables as erasure

# These belong to the runtime, and alembic's own.
OTHERS = {"erased", "consumer_offset", "consumer_tally", "worker", "log_gap", "dead_letter", "alembic_version"}


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(
        connection,
        opts={
            "compare_type": True,
            "include_name": lambda name, kind, parents: kind != "table" or name not in OTHERS,
        },
    )
    return list(compare_metadata(context, Table.metadata))


async def test_models_and_migrations_agree(module_db: Database) -> None:
    async with module_db.snapshot() as tx:
        assert await tx.run_sync(differences) == []


def test_nothing_of_the_runtime_is_forgotten() -> None:
    for name in OTHERS - {"alembic_version"}:
        assert any(name in statement for statement in (*tables.CREATE, *erasure.CREATE))
