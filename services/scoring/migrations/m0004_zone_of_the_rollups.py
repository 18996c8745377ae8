"""Whose days the rollups count: one row, written by whoever comes first."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE rollup_zone (
            only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
            zone text NOT NULL)""")
