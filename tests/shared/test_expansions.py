"""Every revision after the first only expands, or says since when nobody has used what it takes away.

docs/decisions has the rule. What a revision does is read from the catalogue of a real database, before and after it.
"""

import re
import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from shared.db import Database
from tests.conftest import MakeDatabase
from tests.shared import schemas

SERVICES = Path(__file__).parents[2] / "services"
# No installation has had data without these.
BEFORE_THE_FIRST_RELEASE = {"0001", "0002"}
TABLE = "CREATE TABLE thing (id bigint PRIMARY KEY, name text, size integer NOT NULL DEFAULT 0, place text NOT NULL)"


def revisions(service: str) -> list[Path]:
    return sorted((SERVICES / service / "migrations").glob("m*.py"))


def number(revision: Path) -> str:
    return revision.name[1:5]


async def schema_of(database: Database) -> schemas.Schema:
    async with database.snapshot() as tx:
        return await schemas.read(tx)


@pytest.mark.parametrize("service", ["scoring", "alerts"])
def test_revisions_are_numbered_by_four_digits_that_rise(service: str) -> None:
    for at, path in enumerate(revisions(service), start=1):
        assert number(path) == f"{at:04d}"
        written = path.read_text(encoding="utf-8")
        assert f'revision = "{at:04d}"' in written
        assert f"down_revision = {None if at == 1 else chr(34) + f'{at - 1:04d}' + chr(34)}" in written


@pytest.mark.parametrize("service", ["scoring", "alerts"])
async def test_a_revision_only_expands_or_says_since_when_nothing_needs_it(
    database: MakeDatabase, tmp_path: Path, service: str
) -> None:
    one = await database(None)
    first, *later = revisions(service)
    shutil.copy(first, tmp_path)
    await one.migrate(tmp_path)
    for revision in later:
        before = await schema_of(one)
        shutil.copy(revision, tmp_path)
        await one.migrate(tmp_path)
        marked = re.search(r'^unused_since = "(\d{4})"$', revision.read_text(encoding="utf-8"), re.MULTILINE)
        if marked is None:
            assert schemas.harms(before, await schema_of(one)) == [], revision.name
        else:
            assert marked[1] < number(revision), "an earlier release has to have done without it"
        if number(revision) not in BEFORE_THE_FIRST_RELEASE:
            assert schemas.blocking_indexes(revision, before) == [], revision.name


async def changed(one: Database, statement: str) -> list[str]:
    async with one.snapshot() as tx:
        await tx.execution_options(postgresql_readonly=False)
        await tx.execute(text(TABLE))
        before = await schemas.read(tx)
        await tx.execute(text(statement))
        return schemas.harms(before, await schemas.read(tx))


@pytest.mark.parametrize(
    ("statement", "harm"),
    [
        ("DROP TABLE thing", "table thing is gone"),
        ("ALTER TABLE thing RENAME TO other", "table thing is gone"),
        ("ALTER TABLE thing DROP COLUMN name", "thing.name is gone"),
        ("ALTER TABLE thing RENAME name TO title", "thing.name is gone"),
        ("ALTER TABLE thing ALTER size TYPE bigint", "thing.size was integer and is bigint"),
        ("ALTER TABLE thing ALTER name SET NOT NULL", "thing.name is NOT NULL now"),
        ("ALTER TABLE thing ALTER size DROP DEFAULT", "thing.size has no default any more"),
        ("ALTER TABLE thing ADD mood text NOT NULL", "thing.mood is new, NOT NULL, and has no default"),
        ("ALTER TABLE thing ADD CHECK (size > 0)", "thing now has CHECK ((size > 0))"),
        ("CREATE UNIQUE INDEX ON thing (name)", "thing now has UNIQUE USING btree (name)"),
        ("ALTER TABLE thing DROP CONSTRAINT thing_pkey", "thing has no more PRIMARY KEY (id)"),
        ("CREATE TABLE part (thing bigint REFERENCES thing)", "thing now has part refers to it"),
    ],
)
async def test_what_harms_a_process_of_the_version_before_is_found(
    database: MakeDatabase, statement: str, harm: str
) -> None:
    assert harm in await changed(await database(None), statement)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE thing ADD mood text",
        "ALTER TABLE thing ADD mood text NOT NULL DEFAULT 'calm'",
        "ALTER TABLE thing ALTER place SET DEFAULT 'here'",
        "ALTER TABLE thing ALTER place DROP NOT NULL",
        "CREATE INDEX ON thing (name)",
        "CREATE TABLE part (id bigint PRIMARY KEY, thing bigint NOT NULL)",
    ],
)
async def test_what_expands_is_let_pass(database: MakeDatabase, statement: str) -> None:
    assert await changed(await database(None), statement) == []


def test_no_statement_asks_for_all_columns_of_a_table() -> None:
    """One more would reach code that does not know it, and PostgreSQL refuses to go on with what is prepared."""
    asking = re.compile(r"(?<!LATERAL \()(?:SELECT|RETURNING) \*(?! FROM unnest)")
    sources = [path for folder in (SERVICES, SERVICES.parent / "shared") for path in folder.rglob("*.py")]
    assert not [str(path) for path in sources if asking.search(path.read_text(encoding="utf-8"))]


def test_an_index_that_blocks_writers_is_found(tmp_path: Path) -> None:
    revision = tmp_path / "m0003.py"
    revision.write_text('"CREATE INDEX a ON thing (name)" "CREATE INDEX CONCURRENTLY b ON thing (name)"')
    assert schemas.blocking_indexes(
        revision, schemas.Schema({("thing", "id"): schemas.Column("a", True, True)}, {})
    ) == ["thing"]
