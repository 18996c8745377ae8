"""Alembic runs this with the connection that `Database.migrate` holds; there is no offline mode."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
