"""`petla retry` as an operator calls it: the database is mended, and what was set aside counts after all, once."""

import asyncio
import json

import asyncpg

from tests.chaos.sites import EmbeddedServer
from tests.e2e.client import Client
from tests.e2e.load import answer
from tests.e2e.processes import Installation

_BREAK = "ALTER TABLE feedback ADD CONSTRAINT too_narrow CHECK (data->>'text' IS DISTINCT FROM 'too long') NOT VALID"
_MEND = "ALTER TABLE feedback DROP CONSTRAINT too_narrow"


async def execute(database: str, statement: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute(statement)
    await connection.close()


def test_what_was_set_aside_counts_once_the_database_is_mended(installation: Installation) -> None:
    server = installation.up()
    database = EmbeddedServer(installation).scoring
    asyncio.run(execute(database, _BREAK))
    broken = answer("broken")
    broken["data"]["text"] = "too long"
    with Client(server.url, installation.create_key()["key"]) as client:
        client.send([answer("before"), broken, answer("after")])
        found = client.settled()
        (feedback,) = (topic for name, topic in found["topics"].items() if name.endswith("feedback"))
        assert (feedback["new"], feedback["rejected"]) == (2, {"handler_failed": 1})
        assert client.get("/v1/dead-letters")["total"] == 1

        asyncio.run(execute(database, _MEND))
        said = [json.loads(installation.command("retry", "--json").stdout) for _ in range(2)]
        nothing = {"sent": 0, "unreadable": 0, "left": 0}
        assert said == [{"scoring": {**nothing, "sent": 1}, "alerts": nothing}, {"scoring": nothing, "alerts": nothing}]
        found = client.settled()
        (feedback,) = (topic for name, topic in found["topics"].items() if name.endswith("feedback"))
        assert (feedback["read"], feedback["new"], feedback["rejected"]) == (4, 3, {"handler_failed": 1})
        assert found["balanced"]
        assert found["detractors"]["followups"] == 3
        assert client.get("/v1/dead-letters")["total"] == 0
        assert client.get("/v1/metrics/nps")["n"] == 3
    assert "scoring: 0 sent, 0 unreadable here, 0 left" in installation.command("retry").stdout
