"""The tables of what came to sources' doors. Written a batch at a time, in the order of their keys."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.received import Delivery, Recent
from services.scoring.store.registers import columns

MOST_OF_A_SOURCE = 100
# Longer than the log keeps a record: what cannot come again need not be known again.
_KNOWN_DAYS = 40
_NEW_RECORDS = text("""
    INSERT INTO source_record (id, received_at)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:times AS timestamptz[])) ORDER BY 1
    ON CONFLICT DO NOTHING RETURNING CAST(id AS text)""")
_FORGET_RECORDS = text(f"""
    DELETE FROM source_record WHERE id IN (
        SELECT id FROM source_record WHERE received_at < now() - interval '{_KNOWN_DAYS} days'
        LIMIT 1000 FOR UPDATE SKIP LOCKED)""")
_NEW_FACTS = text("""
    INSERT INTO source_fact (fact, revision, content)
    SELECT * FROM unnest(CAST(:facts AS uuid[]), CAST(:revisions AS bigint[]), CAST(:contents AS bytea[]))
    ORDER BY 1, 2
    ON CONFLICT DO NOTHING RETURNING CAST(fact AS text), revision""")
_FACTS = text("""
    SELECT CAST(fact AS text), revision, content FROM source_fact WHERE fact = ANY(CAST(:facts AS uuid[]))""")
_COUNT = text("""
    INSERT INTO source_day AS d (source, day, outcome, reason, partition, n)
    SELECT * FROM unnest(CAST(:source AS text[]), CAST(:day AS date[]), CAST(:outcome AS text[]),
        CAST(:reason AS text[]), CAST(:partition AS integer[]), CAST(:n AS bigint[]))
    ON CONFLICT (source, day, outcome, reason, partition) DO UPDATE SET n = d.n + excluded.n""")
_SEEN = text("""
    INSERT INTO source_seen AS s (source, partition, seen_at, error_at, error_reason, error_status)
    SELECT * FROM unnest(CAST(:source AS text[]), CAST(:partition AS integer[]), CAST(:seen_at AS timestamptz[]),
        CAST(:error_at AS timestamptz[]), CAST(:error_reason AS text[]), CAST(:error_status AS integer[]))
    ON CONFLICT (source, partition) DO UPDATE SET seen_at = greatest(s.seen_at, excluded.seen_at),
        (error_at, error_reason, error_status) = (
            SELECT one.* FROM (VALUES (s.error_at, s.error_reason, s.error_status),
                (excluded.error_at, excluded.error_reason, excluded.error_status)) AS one (at, reason, status)
            ORDER BY one.at DESC NULLS LAST LIMIT 1)""")
_NEWEST = text(f"""
    INSERT INTO source_delivery ({", ".join(Delivery._fields)})
    SELECT * FROM unnest(CAST(:id AS uuid[]), CAST(:source AS text[]), CAST(:received_at AS timestamptz[]),
        CAST(:outcome AS text[]), CAST(:reason AS text[]), CAST(:at_fault AS boolean[]), CAST(:status AS integer[]),
        CAST(:size AS bigint[]), CAST(:version AS integer[]), CAST(:events AS integer[]), CAST(:kept AS boolean[]),
        CAST(:partition AS integer[]), CAST(:log_offset AS bigint[]))
    ON CONFLICT DO NOTHING""")
_TRIM = text(f"""
    DELETE FROM source_delivery WHERE id IN (
        SELECT id FROM source_delivery WHERE id IN (
            SELECT id FROM (
                SELECT id, row_number() OVER (PARTITION BY source ORDER BY received_at DESC, id) AS place
                FROM source_delivery WHERE source = ANY(CAST(:sources AS text[]))) AS ranked
            WHERE place > {MOST_OF_A_SOURCE})
        FOR UPDATE SKIP LOCKED)""")
_COUNTS = text("""
    SELECT source, day, outcome, reason, sum(n)::bigint FROM source_day
    WHERE day >= :first AND day < :end AND (CAST(:source AS text) IS NULL OR source = :source)
    GROUP BY 1, 2, 3, 4""")
_ALL_SEEN = text("""
    SELECT DISTINCT ON (source) source, max(seen_at) OVER (PARTITION BY source), error_at, error_reason, error_status
    FROM source_seen ORDER BY source, error_at DESC NULLS LAST""")
_RECENT = text("""
    SELECT source, count(*), count(*) FILTER (WHERE at_fault) FROM source_delivery
    WHERE received_at > :since GROUP BY source""")
_OF_SOURCE = text(f"""
    SELECT {", ".join(Delivery._fields)} FROM source_delivery WHERE source = :source
    ORDER BY received_at DESC, id LIMIT {MOST_OF_A_SOURCE}""")

Fact = tuple[str, int]


class Cell(NamedTuple):
    """Whose number it is, in the cells of its writer's partition, as rollups have them."""

    source: str
    day: date
    outcome: str
    reason: str
    partition: int


class Seen(NamedTuple):
    """The newest delivery of a source; `error_…` of the newest that was at fault, None where none was."""

    source: str
    seen_at: datetime
    error_at: datetime | None
    error_reason: str | None
    error_status: int | None


async def new_records(records: Mapping[str, datetime], tx: AsyncConnection) -> set[str]:
    """Those that were not known, by id; they are now. What is too old to come again is forgotten."""
    found = await tx.execute(_NEW_RECORDS, {"ids": list(records), "times": list(records.values())})
    new = {id_ for (id_,) in found}
    await tx.execute(_FORGET_RECORDS)
    return new


async def settle_facts(facts: Mapping[Fact, bytes], tx: AsyncConnection) -> tuple[set[Fact], dict[Fact, bytes]]:
    """Those that were not known, and the content of all as it stands: the first that came stays."""
    if not facts:
        return set(), {}
    named = {"facts": [fact for fact, _ in facts], "revisions": [revision for _, revision in facts]}
    found = await tx.execute(_NEW_FACTS, {**named, "contents": list(facts.values())})
    new = {(fact, revision) for fact, revision in found}
    stands = await tx.execute(_FACTS, {"facts": list({fact for fact, _ in facts})})
    return new, {(fact, revision): content for fact, revision, content in stands}


async def count(cells: Mapping[Cell, int], tx: AsyncConnection) -> None:
    """Sorted, so that two transactions meeting in the same cells wait for one another instead of deadlocking."""
    rows = sorted(cells)
    await tx.execute(_COUNT, {**columns(Cell._fields, rows), "n": [cells[cell] for cell in rows]})


async def see(seen: Mapping[tuple[str, int], Seen], tx: AsyncConnection) -> None:
    """By source and partition."""
    places = sorted(seen)
    values = columns(Seen._fields, [seen[place] for place in places])
    await tx.execute(_SEEN, {**values, "partition": [partition for _, partition in places]})


async def keep_newest(deliveries: Sequence[Delivery], tx: AsyncConnection) -> None:
    await tx.execute(_NEWEST, columns(Delivery._fields, sorted(deliveries)))
    await tx.execute(_TRIM, {"sources": sorted({one.source for one in deliveries})})


Counts = dict[tuple[str, date], dict[tuple[str, str], int]]


async def counts(first: date, end: date, source: str | None, tx: AsyncConnection) -> Counts:
    """By source and day, then by outcome and reason; of all sources, or of one."""
    found: Counts = {}
    for name, day, outcome, reason, n in await tx.execute(_COUNTS, {"first": first, "end": end, "source": source}):
        found.setdefault((name, day), {})[outcome, reason] = n
    return found


async def seen(tx: AsyncConnection) -> dict[str, Seen]:
    return {row[0]: Seen(*row) for row in await tx.execute(_ALL_SEEN)}


async def recent(since: datetime, tx: AsyncConnection) -> dict[str, Recent]:
    return {source: Recent(n, at_fault) for source, n, at_fault in await tx.execute(_RECENT, {"since": since})}


async def newest(source: str, tx: AsyncConnection) -> list[Delivery]:
    return [Delivery(*row) for row in await tx.execute(_OF_SOURCE, {"source": source})]


def first_contents(facts: Collection[tuple[Fact, bytes]]) -> dict[Fact, bytes]:
    """Of what one batch says twice, the first."""
    kept: dict[Fact, bytes] = {}
    for fact, content in facts:
        kept.setdefault(fact, content)
    return kept
