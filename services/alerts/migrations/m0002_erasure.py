"""Who was erased, when an activity arrived, and the ways to what belongs to a customer who is not named."""

from alembic import op

from shared.erasure.tables import CREATE

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_RECEIVED = "ALTER TABLE activity ADD COLUMN IF NOT EXISTS received_at timestamptz"  # null: before this version
_INDEXES = {
    "seen_feedback_customer": "seen_feedback ((answer ->> 'customer')) WHERE answer IS NOT NULL",
    "seen_feedback_nameless_order": "seen_feedback ((answer ->> 'order_id'))"
    " WHERE answer IS NOT NULL AND NOT answer ? 'customer'",
    "followup_nameless_order": "followup (order_id) WHERE customer IS NULL AND order_id IS NOT NULL",
}


def upgrade() -> None:
    for statement in (*CREATE, _RECEIVED):
        op.execute(statement)
    with op.get_context().autocommit_block():
        for name, what in _INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {what}")
