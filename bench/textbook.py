"""The textbook consumer's two statements: insert the event, add to its day and segment, commit; one event at a time."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Inserter = AbstractAsyncContextManager[Callable[[Any], Awaitable[None]]]


class _Base(DeclarativeBase):
    pass


class _Fact(_Base):
    __tablename__ = "fact"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    score: Mapped[int]
    data: Mapped[str]


class _Sum(_Base):
    __tablename__ = "rollup"
    segment: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    n: Mapped[int]
    score: Mapped[int]


@asynccontextmanager
async def sessions(url: str) -> AsyncIterator[Callable[[Any], Awaitable[None]]]:
    """The idiom in this stack: a SQLAlchemy session an event, as SQLModel's documentation has it."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(_Base.metadata.create_all)
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    async def insert_one(message: Any) -> None:
        score, day = round(message.data.score), message.event.time.date()
        fact = {"id": uuid.UUID(message.event.factid), "score": score, "data": bytes(message.event.data).decode()}
        added = insert(_Sum).values(segment=message.data.segment, day=day, n=1, score=score)
        more = {"n": _Sum.n + 1, "score": _Sum.score + added.excluded.score}
        async with sessions() as session:
            await session.execute(insert(_Fact).values(fact).on_conflict_do_nothing())
            await session.execute(added.on_conflict_do_update(index_elements=["segment", "day"], set_=more))
            await session.commit()

    yield insert_one
    await engine.dispose()


@asynccontextmanager
async def bare(socket_folder: Path) -> AsyncIterator[Callable[[Any], Awaitable[None]]]:
    """The same two statements on the driver alone, prepared: as cheap as one commit an event can be."""
    connection = await asyncpg.connect(host=str(socket_folder), port=5432, user="petla", database="bare")
    await connection.execute("CREATE TABLE fact (id uuid PRIMARY KEY, score integer, data text)")
    await connection.execute(
        "CREATE TABLE rollup (segment text, day date, n bigint, score bigint, PRIMARY KEY (segment, day))"
    )

    async def insert_one(message: Any) -> None:
        score, day = round(message.data.score), message.event.time.date()
        async with connection.transaction():
            await connection.execute(
                "INSERT INTO fact VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                message.event.factid,
                score,
                bytes(message.event.data).decode(),
            )
            await connection.execute(
                "INSERT INTO rollup AS r VALUES ($1, $2, 1, $3) ON CONFLICT (segment, day)"
                " DO UPDATE SET n = r.n + 1, score = r.score + excluded.score",
                message.data.segment,
                day,
                score,
            )

    yield insert_one
    await connection.close()
