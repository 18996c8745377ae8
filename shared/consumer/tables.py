"""The tables that the runtime keeps in the consuming service's database, beside the effects.

`consumer_offset` is position, lease and fence of a partition in one row. `consumer_tally` counts what became of the
records, apart from the rows they left and from the offsets, so that the three can be held against each other.
"""

CREATE = (
    """CREATE TABLE consumer_offset (
        topic text NOT NULL, partition integer NOT NULL,
        incarnation text NOT NULL DEFAULT '',
        epoch bigint NOT NULL DEFAULT 0,
        owner text,
        lease_until timestamptz,
        next_offset bigint NOT NULL DEFAULT 0,
        last_digest bytea,
        published bigint NOT NULL DEFAULT 0,
        published_at timestamptz NOT NULL DEFAULT now(),
        origin bigint NOT NULL DEFAULT 0,
        passed bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (topic, partition)) WITH (fillfactor = 50)""",
    """CREATE TABLE consumer_tally (
        topic text NOT NULL, partition integer NOT NULL, outcome text NOT NULL,
        n bigint NOT NULL,
        PRIMARY KEY (topic, partition, outcome)) WITH (fillfactor = 50)""",
    """CREATE TABLE worker (id text PRIMARY KEY, seen timestamptz NOT NULL)""",
    """CREATE TABLE log_gap (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        topic text NOT NULL, partition integer NOT NULL,
        first_lost bigint NOT NULL, count bigint NOT NULL,
        at timestamptz NOT NULL DEFAULT now())""",
    """CREATE TABLE dead_letter (
        topic text NOT NULL, incarnation text NOT NULL, partition integer NOT NULL, log_offset bigint NOT NULL,
        kind text NOT NULL,
        reason text NOT NULL,
        detail text NOT NULL,
        id uuid, source text, content bytea, value bytea,
        at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (topic, incarnation, partition, log_offset))""",
    "CREATE INDEX dead_letter_at ON dead_letter (at DESC)",
    "CREATE INDEX dead_letter_id ON dead_letter (id) WHERE id IS NOT NULL",
)
