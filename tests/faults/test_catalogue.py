"""docs/failures.md names tests that exist."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (PROJECT / "docs/failures.md").read_text("utf-8"))))


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_a_test_that_is_named_exists(file: str, test: str) -> None:
    assert re.search(rf"^(async )?def {test}\(", (PROJECT / file).read_text("utf-8"), re.MULTILINE)


def test_many_are_named() -> None:
    assert len(NAMED) > 60
