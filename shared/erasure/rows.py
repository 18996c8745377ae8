"""The table `erased` of a service: who was, and what belonged to them."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.erasure.belongings import Belongings
from shared.erasure.names import Names
from shared.statements import run

_LOCK = "hashtext('petla.erasure')"
# In two statements: what was erased while the first one waited is seen by the second.
_SHARE = f"SELECT pg_advisory_xact_lock_shared({_LOCK}); SELECT FROM erased LIMIT 1"
_ALONE = text(f"SELECT pg_advisory_xact_lock({_LOCK})")
_FIND = text("SELECT digest, at, revision FROM erased WHERE digest = ANY(CAST(:digests AS bytea[]))")
_REMEMBER = text("""
    INSERT INTO erased AS e (digest, revision)
    SELECT * FROM unnest(CAST(:digests AS bytea[]), CAST(:revisions AS bigint[])) ORDER BY 1
    ON CONFLICT (digest) DO UPDATE SET revision = excluded.revision WHERE e.revision < excluded.revision""")
_CUSTOMERS = text("SELECT digest, at, rows, rows_at, files_at FROM erased WHERE at IS NOT NULL")
_DONE = text("""
    INSERT INTO erased AS e (digest, at, rows, rows_at) VALUES (:digest, :at, :rows, clock_timestamp())
    ON CONFLICT (digest) DO UPDATE SET at = excluded.at, rows = excluded.rows, rows_at = excluded.rows_at,
        files_at = NULL""")
_TRACES = text("""
    UPDATE erased SET files_at = clock_timestamp()
    WHERE files_at IS NULL AND digest = ANY(CAST(:digests AS bytea[]))""")


_LATE = text("""
    INSERT INTO erased (digest, rows_at) VALUES (:digest, clock_timestamp())
    ON CONFLICT (digest) DO UPDATE SET rows_at = excluded.rows_at, files_at = NULL""")
_LATE_COPIES = text("SELECT rows_at FROM erased WHERE digest = :digest AND files_at IS NULL")
_LATE_GONE = text("UPDATE erased SET files_at = clock_timestamp() WHERE digest = :digest AND rows_at = :until")


class Row(NamedTuple):
    """`at` of a customer, `revision` of a fact."""

    at: datetime | None
    revision: int | None


Known = dict[bytes, Row]


class Done(NamedTuple):
    """What this service has done about a customer."""

    at: datetime
    rows: int
    rows_at: datetime
    traces_at: datetime | None


async def share(tx: AsyncConnection) -> bool:
    """Holds up erasures until `tx` has ended; whether anybody was erased before it began."""
    return await run(tx, _SHARE) != "SELECT 0"


async def hold_alone(tx: AsyncConnection) -> None:
    """No batch is under way from here to the end of `tx`."""
    await tx.execute(_ALONE)


async def find(digests: Collection[bytes], tx: AsyncConnection) -> Known:
    found = await tx.execute(_FIND, {"digests": list(digests)})
    return {digest: Row(at, revision) for digest, at, revision in found}


async def remember(names: Names, belongings: Belongings, tx: AsyncConnection) -> None:
    """Sorted, so that two batches that meet wait for each other."""
    revisions: dict[bytes, int | None] = {names.digest(*name): None for name in belongings.named()}
    revisions |= {names.digest("fact", fact): revision for fact, revision in belongings.facts.items()}
    await tx.execute(_REMEMBER, {"digests": list(revisions), "revisions": list(revisions.values())})


async def customers(tx: AsyncConnection) -> dict[bytes, Done]:
    return {digest: Done(*done) for digest, *done in await tx.execute(_CUSTOMERS)}


async def done(digest: bytes, at: datetime, rows: int, tx: AsyncConnection) -> None:
    await tx.execute(_DONE, {"digest": digest, "at": at, "rows": rows})


async def traces_gone(digests: Collection[bytes], tx: AsyncConnection) -> None:
    await tx.execute(_TRACES, {"digests": list(digests)})


async def note_late(names: Names, tx: AsyncConnection) -> None:
    """A record of an erased person stands on the log."""
    await tx.execute(_LATE, {"digest": names.digest("late copies")})


async def late_copies(names: Names, tx: AsyncConnection) -> datetime | None:
    """When the last was seen that may still stand there."""
    found = await tx.execute(_LATE_COPIES, {"digest": names.digest("late copies")})
    return found.scalar_one_or_none()


async def late_copies_gone(names: Names, until: datetime, tx: AsyncConnection) -> None:
    await tx.execute(_LATE_GONE, {"digest": names.digest("late copies"), "until": until})
