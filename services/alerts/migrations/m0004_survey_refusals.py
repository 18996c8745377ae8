"""Who does not want to be asked, as keyed hashes by record of `petla.config`, and which are still to be told."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_CREATE = (
    """CREATE TABLE survey_refusal (
        key text NOT NULL, bucket integer NOT NULL, hash bytea NOT NULL,
        PRIMARY KEY (key, bucket, hash))""",
    """CREATE TABLE survey_bucket (
        key text NOT NULL, bucket integer NOT NULL,
        version bigint NOT NULL,
        told bigint NOT NULL,
        lease_token uuid, lease_until timestamptz,
        PRIMARY KEY (key, bucket))""",
    # Secrets under which every customer was looked at once.
    "CREATE TABLE survey_refusals_known (key text PRIMARY KEY)",
)


def upgrade() -> None:
    for statement in _CREATE:
        op.execute(statement)
