"""`installation` is one empty data folder a test; what runs on it ends with the test."""

from collections.abc import Iterator

import pytest

from tests.e2e.processes import Installation, temporary_installation


@pytest.fixture
def installation() -> Iterator[Installation]:
    with temporary_installation() as made:
        yield made
