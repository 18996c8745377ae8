"""The contract of the API, checked from outside by a script that knows nothing of this code."""

import subprocess
import sys

import pytest

from tests.e2e.processes import PETLA, Installation, material


@pytest.mark.slow
def test_a_running_petla_answers_as_the_contract_says(installation: Installation) -> None:
    check = material("checks", "contract")
    if check is None:
        pytest.skip("the contract check is not beside the project")
    server = installation.up()
    key = installation.create_key()["key"]
    done = subprocess.run(
        [sys.executable, check, "--url", server.url, "--key", key, "--petla", PETLA],
        env={"PETLA_DATA": str(installation.data), "PATH": str(PETLA.parent)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 differ" in done.stdout
