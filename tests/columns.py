"""Looks for what must not be there: in every column of every table, in the planner's samples, in bytes of files."""

import json
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db import Database

_COLUMNS = text("""
    SELECT c.table_schema, c.table_name, c.column_name, c.data_type
    FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'""")
_SAMPLES = "SELECT coalesce(string_agg(CAST(s AS text), ' '), '') FROM pg_stats s WHERE schemaname = 'public'"


def written(mark: str) -> set[bytes]:
    """A mark as files may hold it."""
    return {
        mark.encode(),
        json.dumps(mark)[1:-1].encode(),
        json.dumps(mark)[1:-1].replace("\\", "\\\\").encode(),
        mark.encode("utf-16-le"),
        mark.encode("utf-16-be"),
    }


async def holding(db: Database, marks: Iterable[str]) -> list[str]:
    """Every column in which a mark is found, with the mark; numbers and times too, as text."""
    async with db.snapshot() as tx:
        found = []
        for schema, table, column, kind in (await tx.execute(_COLUMNS)).all():
            found += [f"{table}.{column}: {mark}" for mark in await _marks_in(schema, table, column, kind, marks, tx)]
        samples = (await tx.execute(text(_SAMPLES))).scalar_one()
        return found + [f"pg_stats: {mark}" for mark in marks if mark in samples]


async def _marks_in(
    schema: str, table: str, column: str, kind: str, marks: Iterable[str], tx: AsyncConnection
) -> list[str]:
    value = f"encode({column}, 'hex')" if kind == "bytea" else f"CAST({column} AS text)"
    statement = text(f"SELECT count(*) FROM {schema}.{table} WHERE position(:mark IN {value}) > 0")
    found = []
    for mark in marks:
        wanted = [one.hex() for one in written(mark)] if kind == "bytea" else [mark, json.dumps(mark)[1:-1]]
        if any([(await tx.execute(statement, {"mark": one})).scalar_one() for one in wanted]):
            found.append(mark)
    return found


def in_files(folder: Path, marks: Iterable[str]) -> list[str]:
    """Every file under the folder that holds a mark in any writing, with the mark."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            found += [
                f"{path.relative_to(folder)}: {mark}" for mark in marks if any(one in content for one in written(mark))
            ]
    return found
