"""Who was erased, and the ways to a customer's facts: by name; where nobody is named, by what they belong to."""

from alembic import op

from shared.erasure.tables import CREATE

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# A fact stands in one of these at the most in the ordinary case: who names the customer needs no other way.
_INDEXES = {
    "feedback_customer": "feedback ((data ->> 'customer')) WHERE data ? 'customer'",
    "activity_customer": "activity ((data ->> 'customer')) WHERE data ? 'customer'",
    "feedback_nameless_order": "feedback ((data ->> 'order_id')) WHERE data ? 'order_id' AND NOT data ? 'customer'",
    "feedback_nameless_contact": "feedback ((data ->> 'contact_id'))"
    " WHERE data ? 'contact_id' AND NOT data ? 'customer'",
    "feedback_nameless_submission": "feedback ((data ->> 'submission_id'))"
    " WHERE data ? 'submission_id' AND NOT data ? 'customer'",
    "activity_nameless_contact": "activity ((data ->> 'order_id'))"
    " WHERE type = 'contact.opened.v1' AND NOT data ? 'customer'",
}


def upgrade() -> None:
    for statement in CREATE:
        op.execute(statement)
    with op.get_context().autocommit_block():
        for name, what in _INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {what}")
