"""Whose days the rollups count: nobody writes another zone's into them, and they can be counted anew from the facts."""

import random
from collections import Counter
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from services.scoring.app import MIGRATIONS, ScoringService, build
from services.scoring.rebuild import rebuild
from services.scoring.settings import ScoringSettings
from services.scoring.store import samples, zone
from shared.config import ConfigStore
from shared.database_server import DatabaseUnsuitable
from shared.db import Database
from tests.conftest import MakeDatabase
from tests.scoring.test_samples import FACTS, some_deliveries
from tests.scoring.world import World, question
from tests.sealing import SEALING

WARSAW, TOKYO = ZoneInfo("Europe/Warsaw"), ZoneInfo("Asia/Tokyo")
REFUSED = "the rollups count the days of Europe/Warsaw and PETLA_TIMEZONE is Asia/Tokyo: set it back, or stop every"


async def filled(db: Database, timezone: ZoneInfo) -> World:
    """By handlers that count this zone's days."""
    world = World(db)
    world.settings = ScoringSettings(partitions=3, timezone=timezone.key)
    world.worker = world.new_worker()
    records = [fact.record() for fact in FACTS] + some_deliveries(random.Random(8))
    random.Random(9).shuffle(records)
    await world.told(*records[::2])
    await world.told(*records[1::2])
    await world.worker.stop()
    return world


async def counts(db: Database) -> Counter[tuple[object, ...]]:
    """The sums that mean something."""
    found: Counter[tuple[object, ...]] = Counter()
    async with db.snapshot() as tx:
        for *cell, _, n in await tx.execute(
            text(
                "SELECT metric, dimension, value, day, scale_min, scale_max, direction, score, excluded, partition, n"
                " FROM rollup"
            )
        ):
            found[tuple(cell)] += n
    return Counter({cell: n for cell, n in found.items() if n})


async def made_in(db: Database) -> str | None:
    async with db.snapshot() as tx:
        return await zone.known(tx)


def service_on(db: Database, timezone: ZoneInfo) -> ScoringService:
    settings = ScoringSettings(partitions=3, timezone=timezone.key)
    log = World(db).log
    return build(settings, log, ConfigStore(log, "petla.config"), Database(db.url), World(db).clock, SEALING)


@pytest.mark.parametrize("wanted", [WARSAW, TOKYO, ZoneInfo("America/Sao_Paulo")], ids=lambda one: one.key)
async def test_counted_anew_they_are_what_the_handlers_would_have_counted(
    database: MakeDatabase, wanted: ZoneInfo
) -> None:
    db, other = await database("scoring"), await database("scoring")
    await filled(db, WARSAW)
    await filled(other, wanted)
    before = await counts(db)
    assert await rebuild(db, MIGRATIONS, wanted) > 500
    assert await counts(db) == await counts(other)
    assert (await counts(db) == before) == (wanted == WARSAW)
    assert await made_in(db) == wanted.key


async def test_nothing_counted_is_counted_anew_as_nothing(database: MakeDatabase) -> None:
    db = await database("scoring")
    assert await rebuild(db, MIGRATIONS, TOKYO) == 0
    assert await made_in(db) == "Asia/Tokyo"


async def test_not_while_somebody_reads(database: MakeDatabase) -> None:
    world = World(await database("scoring"))
    await world.read()
    with pytest.raises(DatabaseUnsuitable, match="a scoring process still reads"):
        await rebuild(world.db, MIGRATIONS, TOKYO)
    assert await made_in(world.db) is None
    await world.worker.stop()
    await rebuild(world.db, MIGRATIONS, TOKYO)


async def test_another_zone_is_refused_at_the_start_and_later(database: MakeDatabase) -> None:
    db = await database("scoring")
    first, second = service_on(db, WARSAW), service_on(db, TOKYO)
    await first.run_once()
    assert await made_in(db) == "Europe/Warsaw"
    with pytest.raises(DatabaseUnsuitable, match=REFUSED):
        await second.start()
    for _ in range(2):  # the database was away at the start
        with pytest.raises(DatabaseUnsuitable, match=REFUSED):
            await second.run_once()
    assert (await second.checks())["database"] != "ok"
    again = service_on(db, WARSAW)
    await again.run_once()
    assert (await again.checks())["database"] == "ok"
    for service in (first, second, again):
        await service.stop()


async def test_a_question_meets_rollups_of_another_zone(database: MakeDatabase) -> None:
    """As one that is asked of a process of the zone before while they are counted anew."""
    world = await filled(await database("scoring"), WARSAW)
    await rebuild(world.db, MIGRATIONS, TOKYO)
    asked = question("nps", start="2026-10-22", end="2026-10-29", granularity="day")
    answered = await world.scores.answer(asked)
    async with world.db.snapshot() as tx:
        from_facts = await samples.read_facts(asked, tx)
    assert answered["n"] > 0
    assert answered["n"] == sum(sample.n for (_, _), sample in from_facts.items())
