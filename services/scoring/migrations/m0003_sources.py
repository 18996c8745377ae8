"""What came to the doors of sources: counted by day, the newest one by one, and what tells a copy from a new one."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES = (
    # The inbox of records: one that stands on the log twice is counted once.
    "CREATE TABLE source_record (id uuid PRIMARY KEY, received_at timestamptz NOT NULL)",
    "CREATE INDEX source_record_received_at ON source_record (received_at)",
    # What deliveries made, whichever made it first; `content` cannot be guessed without the deployment's secret.
    """CREATE TABLE source_fact (
        fact uuid NOT NULL, revision bigint NOT NULL, content bytea NOT NULL,
        PRIMARY KEY (fact, revision))""",
    """CREATE TABLE source_day (
        source text NOT NULL, day date NOT NULL, outcome text NOT NULL, reason text NOT NULL,
        partition integer NOT NULL, n bigint NOT NULL,
        PRIMARY KEY (source, day, outcome, reason, partition)) WITH (fillfactor = 70)""",
    """CREATE TABLE source_seen (
        source text NOT NULL, partition integer NOT NULL, seen_at timestamptz NOT NULL,
        error_at timestamptz, error_reason text, error_status integer,
        PRIMARY KEY (source, partition)) WITH (fillfactor = 70)""",
    """CREATE TABLE source_delivery (
        id uuid PRIMARY KEY, source text NOT NULL, received_at timestamptz NOT NULL,
        outcome text NOT NULL, reason text NOT NULL, at_fault boolean NOT NULL,
        status integer NOT NULL, size bigint NOT NULL, version integer NOT NULL, events integer NOT NULL,
        kept boolean NOT NULL, partition integer NOT NULL, log_offset bigint NOT NULL)""",
    "CREATE INDEX source_delivery_newest ON source_delivery (source, received_at DESC, id)",
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
