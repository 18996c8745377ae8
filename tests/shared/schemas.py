"""A schema as the catalogue has it, and what in a change of it would harm a process of the version before."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_COLUMNS = text("""
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        a.atthasdef OR a.attidentity <> '' FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0
        AND NOT a.attisdropped""")
# Whatever lets a table refuse a row, or what an ON CONFLICT names.
_RULES = text("""
    SELECT c.relname, pg_get_constraintdef(r.oid) FROM pg_constraint r JOIN pg_class c ON c.oid = r.conrelid
        WHERE r.contype <> 'n'
    UNION SELECT c.relname, r.conrelid::regclass || ' refers to it' FROM pg_constraint r
        JOIN pg_class c ON c.oid = r.confrelid
    UNION SELECT c.relname, 'UNIQUE' || substring(pg_get_indexdef(i.indexrelid) FROM ' USING .*') FROM pg_index i
        JOIN pg_class c ON c.oid = i.indrelid WHERE i.indisunique
    UNION SELECT c.relname, 'TRIGGER ' || t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE NOT t.tgisinternal""")
_INDEX = re.compile(r"CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY)[\w{}]*\s*ON\s+(\w+)", re.IGNORECASE)


class Column(NamedTuple):
    type: str
    required: bool
    has_default: bool


class Schema(NamedTuple):
    """Columns by table and name; rules by table."""

    columns: Mapping[tuple[str, str], Column]
    rules: Mapping[str, set[str]]

    @property
    def tables(self) -> set[str]:
        return {table for table, _ in self.columns}


async def read(tx: AsyncConnection) -> Schema:
    columns = {(table, name): Column(*rest) for table, name, *rest in await tx.execute(_COLUMNS)}
    rules: dict[str, set[str]] = {table: set() for table, _ in columns}
    for table, rule in await tx.execute(_RULES):
        rules.get(table, set()).add(rule)  # the catalogue's own tables are none of ours
    return Schema(columns, rules)


def harms(before: Schema, after: Schema) -> list[str]:
    """What a process that knows `before` could not read or write any more; empty: the change only expands."""
    found = [f"table {table} is gone" for table in before.tables - after.tables]
    kept = before.tables & after.tables
    for (table, name), old in before.columns.items():
        if table in kept:
            found += _of_a_column(f"{table}.{name}", old, after.columns.get((table, name)))
    for (table, name), new in after.columns.items():
        if table in kept and (table, name) not in before.columns and new.required and not new.has_default:
            found.append(f"{table}.{name} is new, NOT NULL, and has no default")
    for table in kept:
        found += [f"{table} has no more {rule}" for rule in before.rules[table] - after.rules[table]]
        found += [f"{table} now has {rule}" for rule in after.rules[table] - before.rules[table]]
    return found


def _of_a_column(name: str, old: Column, new: Column | None) -> list[str]:
    if new is None:
        return [f"{name} is gone"]
    found = []
    if new.type != old.type:
        found.append(f"{name} was {old.type} and is {new.type}")
    if new.required and not old.required:
        found.append(f"{name} is NOT NULL now")
    if old.has_default and not new.has_default:
        found.append(f"{name} has no default any more")
    return found


def blocking_indexes(revision: Path, before: Schema) -> list[str]:
    """Tables that nobody can write to while this revision makes an index on them."""
    return [table for table in _INDEX.findall(revision.read_text(encoding="utf-8")) if table in before.tables]
