"""Erasures that senders asked for, until they are on `petla.config`: only here is the customer named meanwhile."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE erase_request (id uuid PRIMARY KEY, customer text NOT NULL, received_at timestamptz NOT NULL)""")
