"""Options that several commands have. One that stands for a variable is put there, so that settings have one source."""

import os
from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[Path | None, typer.Option(help="data folder; PETLA_DATA")]
AsJson = Annotated[bool, typer.Option("--json", help="the last line is one JSON object")]
Url = Annotated[str, typer.Option(envvar="PETLA_URL", help="where Pętla answers")]

DEFAULT_URL = "http://127.0.0.1:8080"


def into_environment(**options: object) -> None:
    """Each as PETLA_ and its name; what was not given leaves the variable as it is."""
    for name, value in options.items():
        if value is not None:
            os.environ[f"PETLA_{name.upper()}"] = str(value)
