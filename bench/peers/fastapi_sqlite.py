"""The idiom for a durable endpoint: FastAPI, a Pydantic model, one SQLite commit an event (`synchronous=FULL`)."""

import sqlite3
import threading
import uuid
from pathlib import Path

from fastapi import FastAPI

from bench.peers.events import Event


def create_app(folder: Path) -> FastAPI:
    app = FastAPI()
    of_thread = threading.local()

    def connection() -> sqlite3.Connection:
        if not hasattr(of_thread, "connection"):
            of_thread.connection = sqlite3.connect(folder / "events.db", timeout=30, isolation_level=None)
            of_thread.connection.execute("PRAGMA journal_mode=WAL")
            of_thread.connection.execute("PRAGMA synchronous=FULL")
            of_thread.connection.execute("CREATE TABLE IF NOT EXISTS event (id TEXT PRIMARY KEY, body TEXT NOT NULL)")
        return of_thread.connection  # type: ignore[no-any-return]

    @app.post("/v1/events", status_code=202)
    def take(event: Event) -> dict[str, str]:
        fact = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{event.source} {event.id}"))
        connection().execute("INSERT OR IGNORE INTO event VALUES (?, ?)", (fact, event.model_dump_json()))
        return {"id": fact}

    return app


if __name__ == "__main__":
    import sys

    import uvicorn

    port, folder = sys.argv[1:]
    uvicorn.run(create_app(Path(folder)), host="127.0.0.1", port=int(port), access_log=False, log_level="warning")
