"""Of a database: whether it answers, is safe, has our time and its tables, and how far its service has come."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.consumer.progress import positions
from shared.database_server import OLDEST
from shared.db import IDLE_IN_TRANSACTION_SECONDS, Database, sqlstate
from shared.findings import Finding, Level
from shared.log.port import Log, LogUnavailable
from shared.reasons import why_no_database

_NO_SUCH_DATABASE = "3D000"
_SKEW_WARN_SECONDS, _SKEW_FAIL_SECONDS = 1.0, 30.0
_LAG_RECORDS = 10_000
_LATE_SECONDS = 60.0
_SETTINGS = ("fsync", "full_page_writes", "synchronous_commit", "idle_in_transaction_session_timeout")
_LIVE = text("SELECT count(*) FROM worker WHERE seen > clock_timestamp() - interval '5 seconds'")
_LOST = text("SELECT coalesce(sum(count), 0)::bigint FROM log_gap")
_SET_ASIDE = text("SELECT count(*) FROM dead_letter WHERE kind = 'dead_letter'")
_NOTIFICATIONS = text("""
    SELECT count(*) FILTER (WHERE state = 'dead'), count(*) FILTER (WHERE state = 'pending' AND attempts > 0),
        coalesce(extract(epoch FROM clock_timestamp() - min(next_at) FILTER (
            WHERE state = 'pending' AND next_at <= clock_timestamp())), 0)::float8
    FROM notification""")


async def looked_at(
    service: str, database: Database, log: Log | None, topics: Sequence[str], clock: Clock
) -> list[Finding]:
    """`log` is None where it cannot be read; `topics` are those that the service reads."""
    name = f"{service} database"
    try:
        async with database.snapshot() as tx:
            found = await _server(name, tx, clock)
            if not await _has_tables(tx):
                return [*found, Finding("warn", name, "has no tables yet: a start of the service makes them")]
            found += [await _progress(service, tx, log, topics), *await _set_aside(service, tx)]
            return found + ([await _notified(tx)] if service == "alerts" else [])
    except Exception as error:  # whatever it is: one line, and the other checks go on
        if sqlstate(error) == _NO_SUCH_DATABASE:
            return [Finding("warn", name, "is not there yet: a start of the service makes it, if its user may")]
        return [Finding("fail", name, why_no_database(error))]


async def _server(name: str, tx: AsyncConnection, clock: Clock) -> list[Finding]:
    before = clock.now()
    at = (await tx.execute(text("SELECT clock_timestamp()"))).scalar_one()
    after = clock.now()
    version = int((await tx.execute(text("SHOW server_version_num"))).scalar_one()) // 10_000
    settings = {each: (await tx.execute(text(f"SHOW {each}"))).scalar_one() for each in _SETTINGS}
    return [*judged_server(name, version, settings), judged_clock(name, before, at, after)]


def judged_server(name: str, version: int, settings: Mapping[str, str]) -> list[Finding]:
    found = [
        Finding("fail", name, f"has {setting}={settings[setting]}: set it on, or a crash loses data")
        for setting in ("fsync", "full_page_writes")
        if settings[setting] != "on"
    ]
    if version < OLDEST:
        found.append(Finding("fail", name, f"is on PostgreSQL {version}: Pętla needs {OLDEST} or later"))
    if settings["synchronous_commit"] == "off":
        found.append(
            Finding("fail", name, "has synchronous_commit=off: set it on, or a crash loses what was committed")
        )
    if settings["idle_in_transaction_session_timeout"] != f"{IDLE_IN_TRANSACTION_SECONDS:g}s":
        found.append(
            Finding(
                "fail",
                name,
                "does not take our idle_in_transaction_session_timeout, and a frozen process could hold rows for ever:"
                " connect without the pooler in between",
            )
        )
    return found or [Finding("ok", name, f"answers, PostgreSQL {version}, what is committed is on its disk")]


def judged_clock(name: str, before: datetime, at: datetime, after: datetime) -> Finding:
    """`at` is what the database said between the two."""
    skew = max((before - at).total_seconds(), (at - after).total_seconds(), 0.0)
    if skew <= _SKEW_WARN_SECONDS:
        return Finding("ok", name, "has the same time as this machine")
    level: Level = "fail" if skew > _SKEW_FAIL_SECONDS else "warn"
    return Finding(level, name, f"differs from this machine's clock by {skew:.0f} s: set both by NTP")


async def _has_tables(tx: AsyncConnection) -> bool:
    return (await tx.execute(text("SELECT to_regclass('consumer_offset')"))).scalar_one() is not None


async def _progress(service: str, tx: AsyncConnection, log: Log | None, topics: Sequence[str]) -> Finding:
    live = int((await tx.execute(_LIVE)).scalar_one())
    if log is None:
        return Finding("warn", f"{service} lag", "cannot be told: the log does not answer")
    read = await positions(tx)
    unread = 0
    try:
        for topic in topics:
            for number, (start, end) in (await log.bounds(topic)).items():
                unread += max(end - max(read.get((topic, number), start), start), 0)
    except LogUnavailable as error:
        return Finding("warn", f"{service} lag", f"cannot be told: {error}")
    return judged_lag(service, unread, live)


def judged_lag(service: str, unread: int, live: int) -> Finding:
    """`live`: how many processes read."""
    name = f"{service} lag"
    if unread and not live:
        return Finding("warn", name, f"{unread} records wait and no process reads them: start 'petla up {service}'")
    if unread > _LAG_RECORDS:
        return Finding("warn", name, f"{unread} records wait for {live} processes: if it grows, start another")
    return Finding("ok", name, f"{unread} records wait, {live} processes read")


async def _set_aside(service: str, tx: AsyncConnection) -> list[Finding]:
    lost = int((await tx.execute(_LOST)).scalar_one())
    return judged_records(service, lost, int((await tx.execute(_SET_ASIDE)).scalar_one()))


def judged_records(service: str, lost: int, set_aside: int) -> list[Finding]:
    """Nothing where all is well."""
    name, found = f"{service} records", []
    if lost:
        found.append(Finding("fail", name, f"{lost} expired before they were read: the numbers lack them"))
    if set_aside:
        where = "/v1/dead-letters" if service == "scoring" else "the lines record_set_aside of its log"
        found.append(
            Finding("warn", name, f"{set_aside} could not be processed: see {where}; when that is mended, petla retry")
        )
    return found


async def _notified(tx: AsyncConnection) -> Finding:
    return judged_webhooks(*(await tx.execute(_NOTIFICATIONS)).one())


def judged_webhooks(dead: int, failing: int, late_seconds: float) -> Finding:
    """`failing`: tried in vain, and to be tried again."""
    if dead:
        sentence = f"{dead} notifications are dead: mend the receiver, then replay them (/v1/notifications?state=dead)"
    elif failing:
        sentence = f"{failing} notifications were tried in vain and will be tried again: look at the receiver"
    elif late_seconds > _LATE_SECONDS:
        sentence = f"the oldest notification is {late_seconds:.0f} s late: is alerts running?"
    else:
        return Finding("ok", "webhooks", "nothing is late, nothing fails")
    return Finding("warn", "webhooks", sentence)
