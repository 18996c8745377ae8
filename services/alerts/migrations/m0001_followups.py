"""Follow-ups with their log of states, what was seen and heard about customers, and notifications."""

from alembic import op

from shared.consumer import tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_CREATE = (
    """CREATE TABLE followup (
        id uuid PRIMARY KEY,
        feedback uuid NOT NULL UNIQUE,
        submission uuid UNIQUE,
        rule text NOT NULL,
        version integer NOT NULL,
        state text NOT NULL,
        priority text NOT NULL,
        customer text, order_id text,
        metric text, score double precision, scale_min double precision, scale_max double precision, text text,
        opened_at timestamptz NOT NULL,
        first_attempt_due timestamptz NOT NULL,
        overdue_at timestamptz,
        assignee text, level integer NOT NULL,
        root_cause text, action text)""",
    "CREATE INDEX followup_due ON followup (first_attempt_due, id)",
    "CREATE INDEX followup_to_report ON followup (first_attempt_due, id)"
    " WHERE overdue_at IS NULL AND state IN ('new', 'assigned')",
    "CREATE INDEX ix_followup_customer ON followup (customer)",
    """CREATE TABLE followup_event (
        followup_id uuid NOT NULL REFERENCES followup (id),
        version integer NOT NULL,
        kind text NOT NULL,
        at timestamptz NOT NULL,
        value bytea NOT NULL,
        published_at timestamptz,
        lease_token uuid, lease_until timestamptz,
        PRIMARY KEY (followup_id, version))""",
    "CREATE INDEX followup_event_unpublished ON followup_event (at) WHERE published_at IS NULL",
    """CREATE TABLE seen_feedback (
        feedback uuid PRIMARY KEY,
        revision bigint NOT NULL,
        answer jsonb,
        keeps uuid REFERENCES followup (id))""",
    "CREATE INDEX seen_feedback_keeps ON seen_feedback (keeps) WHERE keeps IS NOT NULL",
    """CREATE TABLE suppression (
        feedback uuid NOT NULL,
        revision bigint NOT NULL,
        reason text NOT NULL,
        joined uuid REFERENCES followup (id),
        at timestamptz NOT NULL,
        value bytea NOT NULL,
        published_at timestamptz,
        lease_token uuid, lease_until timestamptz,
        PRIMARY KEY (feedback, revision))""",
    "CREATE INDEX suppression_unpublished ON suppression (at) WHERE published_at IS NULL",
    """CREATE TABLE notification (
        id uuid PRIMARY KEY,
        followup_id uuid NOT NULL, version integer NOT NULL,
        channel text NOT NULL,
        state text NOT NULL,
        attempts integer NOT NULL,
        next_at timestamptz NOT NULL,
        lease_token uuid, lease_until timestamptz,
        last_status integer, last_error text,
        created_at timestamptz NOT NULL,
        delivered_at timestamptz,
        FOREIGN KEY (followup_id, version) REFERENCES followup_event (followup_id, version))""",
    "CREATE INDEX notification_due ON notification (next_at) WHERE state = 'pending'",
    "CREATE INDEX notification_newest ON notification (created_at, id)",
    """CREATE TABLE activity (
        id uuid NOT NULL,
        revision bigint NOT NULL,
        content bytea NOT NULL,
        type text NOT NULL,
        customer text, order_id text, contact_id text,
        at timestamptz NOT NULL,
        data jsonb NOT NULL,
        PRIMARY KEY (id, revision))""",
    "CREATE INDEX activity_customer ON activity (customer, at)",
    # Whether a customer may be contacted is asked for every detractor; most of their updates say nothing about it.
    "CREATE INDEX activity_consent ON activity (customer, at) WHERE type = 'customer.updated.v1' AND data ? 'consent'",
    "CREATE INDEX ix_activity_order_id ON activity (order_id)",
    "CREATE INDEX ix_activity_contact_id ON activity (contact_id)",
)


def upgrade() -> None:
    for statement in (*_CREATE, *tables.CREATE):
        op.execute(statement)
