"""The table in which a service remembers whom and what it has erased, so that no copy that comes later says it again.

A row of a customer has `at`, the moment of the erasure: what happened or arrived until then is theirs. The others are
what belonged to them: orders, contacts, submissions, follow-ups, and facts with the highest `revision` that was erased.
`files_at` is when the last traces left the log and the database's files.
"""

CREATE = (
    """CREATE TABLE IF NOT EXISTS erased (
        digest bytea PRIMARY KEY,
        at timestamptz,
        revision bigint,
        rows integer, rows_at timestamptz, files_at timestamptz)""",
    "CREATE INDEX IF NOT EXISTS erased_customer ON erased (at) WHERE at IS NOT NULL",
)
