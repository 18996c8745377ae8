"""Facts, rollups, follow-ups as scoring sees them, and the consumer's own tables."""

from alembic import op

from shared.consumer.tables import CREATE

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    """CREATE TABLE feedback (
        id uuid NOT NULL, revision bigint NOT NULL,
        retracted boolean NOT NULL, content bytea NOT NULL,
        sender text NOT NULL,
        metric text, score integer, scale_min integer, scale_max integer, direction text, group_name text,
        time timestamptz NOT NULL, received_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL DEFAULT now(), superseded_at timestamptz,
        partition integer NOT NULL,
        data jsonb NOT NULL,
        PRIMARY KEY (id, revision))""",
    # No two revisions of one fact can be current, even where two workers meet it in two partitions.
    "CREATE UNIQUE INDEX feedback_current ON feedback (id) WHERE superseded_at IS NULL",
    "CREATE INDEX feedback_detractor ON feedback (id, revision)"
    " WHERE superseded_at IS NULL AND group_name = 'detractor'",
    "CREATE INDEX feedback_retracted ON feedback (id) WHERE superseded_at IS NULL AND retracted",
    "CREATE INDEX feedback_time ON feedback USING brin (time)",
    "CREATE INDEX feedback_recorded_at ON feedback USING brin (recorded_at)",
    """CREATE TABLE activity (
        id uuid NOT NULL, revision bigint NOT NULL,
        content bytea NOT NULL, type text NOT NULL, sender text NOT NULL,
        object_id text NOT NULL, data jsonb NOT NULL,
        time timestamptz NOT NULL, received_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL DEFAULT now(), superseded_at timestamptz,
        partition integer NOT NULL,
        PRIMARY KEY (id, revision))""",
    "CREATE UNIQUE INDEX activity_current ON activity (id) WHERE superseded_at IS NULL",
    "CREATE INDEX activity_object ON activity (object_id, type) WHERE superseded_at IS NULL",
    """CREATE TABLE delivery (
        order_id text PRIMARY KEY,
        completed_at timestamptz NOT NULL,
        outcome text NOT NULL,
        sender text NOT NULL, store text, channel text)""",
    "CREATE INDEX delivery_completed_at ON delivery USING brin (completed_at)",
    """CREATE TABLE rollup (
        metric text NOT NULL, dimension text NOT NULL, value text NOT NULL, day date NOT NULL,
        scale_min integer NOT NULL, scale_max integer NOT NULL, direction text NOT NULL,
        score integer NOT NULL, excluded text NOT NULL, partition integer NOT NULL,
        n bigint NOT NULL,
        PRIMARY KEY (metric, dimension, day, value, scale_min, scale_max, direction, score, excluded, partition)
        ) WITH (fillfactor = 70)""",
    """CREATE TABLE followup (
        id uuid PRIMARY KEY, feedback uuid NOT NULL,
        version integer NOT NULL, state text NOT NULL,
        opened_version integer NOT NULL, opened_at timestamptz,
        due_version integer NOT NULL, first_attempt_due timestamptz,
        first_attempt_at timestamptz,
        priority text, metric text, score integer, scale_max integer) WITH (fillfactor = 70)""",
    "CREATE INDEX followup_feedback ON followup (feedback)",
    "CREATE INDEX followup_opened_at ON followup (opened_at)",
    """CREATE TABLE suppression (
        feedback uuid NOT NULL, revision bigint NOT NULL,
        reason text NOT NULL, followup_id uuid, at timestamptz NOT NULL,
        PRIMARY KEY (feedback, revision))""",
    """CREATE TABLE alerts_position (
        topic text NOT NULL, partition integer NOT NULL,
        next_offset bigint NOT NULL, at timestamptz NOT NULL,
        PRIMARY KEY (topic, partition))""",
)


def upgrade() -> None:
    for statement in (*CREATE, *_TABLES):
        op.execute(statement)
