"""In the service itself: it pulls without being asked, and hands its turn on when it stops."""

import asyncio

from services.ingest.app import build
from tests.ingest.pulling.conftest import World
from tests.ingest.pulling.servers import AllegroApi


async def test_ingest_pulls_by_itself_and_leaves_its_turn(world: World, allegro: AllegroApi) -> None:
    allegro.order(1, form="f-1")
    environment = {
        "PETLA_SOURCE_ALLEGRO_CLIENT_ID": "client",
        "PETLA_SOURCE_ALLEGRO_CLIENT_SECRET": "secret",
        "PETLA_SOURCE_ALLEGRO_REFRESH_TOKEN": "refresh-0",
        "PETLA_SOURCE_ALLEGRO_API": allegro.url,
        "PETLA_SOURCE_ALLEGRO_SIGN_IN": allegro.url,
    }
    config = await world.config()

    def record() -> dict[str, object]:
        return config.get("cursor/allegro") or {}

    service = build(world.settings, world.log, config, world.clock, world.sealing, environment)
    await service.start()
    try:
        async with asyncio.timeout(10), config._advanced:
            await config._advanced.wait_for(lambda: record().get("position") == {"event": "1763000000000001"})
    finally:
        await service.stop()
    assert [id_ for id_, _, _ in world.made("order.placed.v1")] == ["f-1"]
    assert record()["holder"] is None
