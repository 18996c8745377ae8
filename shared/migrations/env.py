"""Alembic runs this with the connection that `Database.migrate` holds; there is no offline mode."""

from typing import Any

from alembic import context
from sqlalchemy import text

_CREATE = text("""
    CREATE TABLE IF NOT EXISTS schema_contraction (revision text PRIMARY KEY, unused_since text NOT NULL)""")
_REMEMBER = text("INSERT INTO schema_contraction (revision, unused_since) VALUES (:revision, :unused_since)")


def remember_contraction(ctx: Any, step: Any, heads: object, run_args: object) -> None:
    """In the transaction of the revision itself: no older process may start on what it left."""
    since = getattr(step.up_revision.module, "unused_since", None)
    if since is not None:
        ctx.connection.execute(_CREATE)
        ctx.connection.execute(_REMEMBER, {"revision": step.up_revision_id, "unused_since": since})


context.configure(
    connection=context.config.attributes["connection"],
    transaction_per_migration=True,
    on_version_apply=remember_contraction,
)
with context.begin_transaction():
    context.run_migrations()
