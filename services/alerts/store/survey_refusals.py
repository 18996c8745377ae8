"""Refusals of surveys by record of `petla.config`: kept with the facts, told by whoever leases the record.

A record's row is locked before the facts are read, so of two batches that tell of one customer the later one sees both.
`key` is the fingerprint of the secret that the hashes were made with.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.no_survey import Place

LEASE_SECONDS = 60

_TOUCH = text("""
    INSERT INTO survey_bucket (key, bucket, version, told)
    SELECT :key, bucket, 1, 0 FROM unnest(CAST(:buckets AS integer[])) AS v(bucket) ORDER BY bucket
    ON CONFLICT (key, bucket) DO UPDATE SET version = survey_bucket.version + 1""")
_TAKE_BACK = text("""
    DELETE FROM survey_refusal r USING unnest(CAST(:buckets AS integer[]), CAST(:hashes AS bytea[])) AS v(bucket, hash)
    WHERE r.key = :key AND r.bucket = v.bucket AND r.hash = v.hash""")
_REFUSE = text("""
    INSERT INTO survey_refusal (key, bucket, hash)
    SELECT :key, bucket, hash FROM unnest(CAST(:buckets AS integer[]), CAST(:hashes AS bytea[])) AS v(bucket, hash)
    ON CONFLICT DO NOTHING""")
_CLAIM = text(f"""
    UPDATE survey_bucket b SET lease_token = :token, lease_until = clock_timestamp() + interval '{LEASE_SECONDS} s'
    FROM (SELECT bucket FROM survey_bucket
        WHERE key = :key AND version > told AND (lease_until IS NULL OR lease_until < clock_timestamp())
        ORDER BY bucket LIMIT :limit FOR UPDATE SKIP LOCKED) due
    WHERE b.key = :key AND b.bucket = due.bucket
    RETURNING b.bucket, b.version""")
_HASHES = text("""
    SELECT bucket, hash FROM survey_refusal WHERE key = :key AND bucket = ANY(CAST(:buckets AS integer[]))""")
_TOLD = text("""
    UPDATE survey_bucket SET told = :version, lease_token = NULL, lease_until = NULL
    WHERE key = :key AND bucket = :bucket AND lease_token = :token""")
_IS_KNOWN = text("SELECT EXISTS (SELECT FROM survey_refusals_known WHERE key = :key)")
_KNOW = text("INSERT INTO survey_refusals_known (key) VALUES (:key) ON CONFLICT DO NOTHING")
_CUSTOMERS = text("""
    SELECT DISTINCT customer FROM activity
    WHERE type = 'customer.updated.v1' AND data ? 'consent' AND customer > :after ORDER BY customer LIMIT :limit""")
# Whoever an earlier revision of these facts spoke of.
_SPOKEN_OF = text("""
    SELECT DISTINCT customer FROM activity
    WHERE id = ANY(CAST(:ids AS uuid[])) AND type = 'customer.updated.v1' AND data ? 'consent'
        AND customer IS NOT NULL""")


class Due(NamedTuple):
    """A record that is to say `hashes`, as of `version`."""

    bucket: int
    version: int
    hashes: Collection[bytes]


async def touch(buckets: Collection[int], key: str, tx: AsyncConnection) -> None:
    """Lock these records until the transaction ends; they are to be told anew."""
    if buckets:
        await tx.execute(_TOUCH, {"key": key, "buckets": sorted(buckets)})


async def note(places: Mapping[str, Place], refusing: Collection[str], key: str, tx: AsyncConnection) -> None:
    """Of these customers, who refuses now; the others do not."""
    for statement, wanted in ((_TAKE_BACK, False), (_REFUSE, True)):
        found = [place for customer, place in places.items() if (customer in refusing) is wanted]
        if found:
            columns = {"buckets": [place.bucket for place in found], "hashes": [place.hash for place in found]}
            await tx.execute(statement, {"key": key, **columns})


async def claim(key: str, token: UUID, limit: int, tx: AsyncConnection) -> list[Due]:
    """Records that say something else by now, leased to the holder of the token."""
    claimed = {
        row.bucket: row.version for row in await tx.execute(_CLAIM, {"key": key, "token": token, "limit": limit})
    }
    hashes: dict[int, list[bytes]] = {bucket: [] for bucket in claimed}
    for bucket, hash_ in await tx.execute(_HASHES, {"key": key, "buckets": list(claimed)}):
        hashes[bucket].append(hash_)
    return [Due(bucket, version, hashes[bucket]) for bucket, version in claimed.items()]


async def told(due: Due, key: str, token: UUID, tx: AsyncConnection) -> None:
    """Only what the token still holds: another process may have said more by now."""
    await tx.execute(_TOLD, {"key": key, "bucket": due.bucket, "version": due.version, "token": token})


async def is_known(key: str, tx: AsyncConnection) -> bool:
    """Every customer was looked at under this secret."""
    return bool((await tx.execute(_IS_KNOWN, {"key": key})).scalar_one())


async def know(key: str, tx: AsyncConnection) -> None:
    await tx.execute(_KNOW, {"key": key})


async def customers(after: str, limit: int, tx: AsyncConnection) -> Sequence[str]:
    """Those who ever said something about consent, by name, behind `after`."""
    return list((await tx.execute(_CUSTOMERS, {"after": after, "limit": limit})).scalars())


async def spoken_of(facts: Collection[UUID], tx: AsyncConnection) -> set[str]:
    if not facts:
        return set()
    return set((await tx.execute(_SPOKEN_OF, {"ids": list(facts)})).scalars())
