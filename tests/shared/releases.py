"""Releases that are not there yet: a folder of migrations with one more than another has."""

import shutil
from collections.abc import Sequence
from pathlib import Path

_REVISION = """\
from alembic import op

revision = {revision!r}
down_revision = {before!r}
{mark}

def upgrade():
    for statement in {statements!r}:
        op.execute(statement)
    for statement in {beside!r}:
        with op.get_context().autocommit_block():
            op.execute(statement)
"""


def newest(versions: Path) -> str:
    return max((path.name[1:5] for path in versions.glob("m*.py")), default="0000")


def release(
    folder: Path,
    statements: Sequence[str],
    *,
    after: Path | None = None,
    beside: Sequence[str] = (),
    unused_since: str | None = None,
) -> Path:
    """What `after` has and a revision that does `statements`, and `beside` in no transaction."""
    folder.mkdir()
    for path in after.glob("m*.py") if after else ():
        shutil.copy(path, folder)
    before = newest(folder)
    revision = f"{int(before) + 1:04d}"
    written = _REVISION.format(
        revision=revision,
        before=None if before == "0000" else before,
        mark=f"unused_since = {unused_since!r}" if unused_since else "",
        statements=list(statements),
        beside=list(beside),
    )
    (folder / f"m{revision}.py").write_text(written)
    return folder
