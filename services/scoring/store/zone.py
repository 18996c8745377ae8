"""Whose days the rollups count. Cells of two zones in one table would mix their days, and nobody could tell."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database_server import DatabaseUnsuitable

_EXISTS = text("SELECT to_regclass('rollup_zone') IS NOT NULL")
_FIRST = text("INSERT INTO rollup_zone (zone) VALUES (:zone) ON CONFLICT DO NOTHING")
# A rebuild under way is waited for.
_READ = text("SELECT zone FROM rollup_zone FOR SHARE")
_LOOK = text("SELECT zone FROM rollup_zone")
_SET = text("""
    INSERT INTO rollup_zone (zone) VALUES (:zone) ON CONFLICT (only_row) DO UPDATE SET zone = excluded.zone""")


async def agree(zone: str, tx: AsyncConnection) -> None:
    """`zone` is what the rollups count in from now on, unless they count in another: DatabaseUnsuitable."""
    await tx.execute(_FIRST, {"zone": zone})
    refuse_other(zone, (await tx.execute(_READ)).scalar_one())


async def known(tx: AsyncConnection) -> str | None:
    """None where nothing has been counted, also before the database has its tables."""
    if not (await tx.execute(_EXISTS)).scalar_one():
        return None
    found: str | None = (await tx.execute(_LOOK)).scalar_one_or_none()
    return found


async def change(zone: str, tx: AsyncConnection) -> None:
    """With the rollups, in one transaction. Whoever starts meanwhile waits for its end."""
    await tx.execute(_SET, {"zone": zone})


def refuse_other(zone: str, made_in: str | None) -> None:
    if made_in not in (None, zone):
        raise DatabaseUnsuitable(
            f"the rollups count the days of {made_in} and PETLA_TIMEZONE is {zone}: set it back, or stop every scoring"
            " and run 'petla rebuild', which counts them anew"
        )
