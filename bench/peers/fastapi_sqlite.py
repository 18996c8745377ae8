"""The idiom for a durable endpoint: FastAPI, a Pydantic model, one SQLite commit an event (`synchronous=FULL`)."""

import sqlite3
import threading
import uuid
from datetime import datetime
from pathlib import Path
from typing import Literal

from fastapi import FastAPI
from pydantic import BaseModel, Field


class Data(BaseModel):
    metric: Literal["nps", "csat", "ces", "rating", "recommend", "comment"]
    score: float | None = None
    text: str | None = Field(None, max_length=200_000)
    customer: str | None = Field(None, min_length=1, max_length=256)
    channel: str | None = Field(None, min_length=1, max_length=256)
    segment: str | None = Field(None, min_length=1, max_length=256)


class Event(BaseModel):
    specversion: Literal["1.0"]
    id: str = Field(min_length=1, max_length=256)
    source: str = Field(min_length=1, max_length=256)
    type: str = Field(min_length=1, max_length=256)
    time: datetime
    data: Data


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
