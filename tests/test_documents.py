"""What the documents say is true of the code: links lead somewhere, settings are all there, the README's curl works."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from pydantic_core import PydanticUndefined

from services.__main__ import app
from services.alerts.settings import AlertsSettings
from services.ingest.settings import IngestSettings
from services.scoring.settings import ScoringSettings
from shared.settings import Settings
from tests.e2e.processes import free_port, temporary_installation, until

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
PATH = re.compile(r"`((?:tests|services|shared|bench|docs|examples)/[\w./-]+)`")


def environment_names() -> dict[str, Any]:
    """Every variable with its default, None where there is none or where it depends on the machine."""
    found: dict[str, Any] = {}
    for settings in (Settings, IngestSettings, ScoringSettings, AlertsSettings):
        for name, field in settings.model_fields.items():
            default = None if field.default is PydanticUndefined else field.default
            found[str(field.validation_alias or f"PETLA_{name.upper()}")] = default
    return found


def command_names() -> set[str]:
    commands = [path.read_text(encoding="utf-8") for path in (ROOT / "services").glob("*.py")]
    return {name for text in commands for name in re.findall(r'envvar="(\w+)"', text)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_paths_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = [document.parent / link for link in LINK.findall(text)]
    paths = [ROOT / path for path in PATH.findall(text)]
    assert not [str(path) for path in links + paths if not path.exists()]


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = LINK.findall((folder / "README.md").read_text(encoding="utf-8"))
    assert listed == sorted(path.name for path in folder.glob("0*.md"))


def test_a_decision_says_why_and_until_when() -> None:
    for path in (ROOT / "docs" / "decisions").glob("0*.md"):
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]} "), path.name
        for part in ("**Context.**", "**Choice.**", "**Consequences.**", "**Look again**"):
            assert part in text, f"{path.name} has no {part}"


def test_the_example_of_an_environment_has_every_variable_with_its_default() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^#([A-Z_]+)=(.*)$", text, re.MULTILINE))
    known = environment_names()
    assert set(shown) == set(known) | command_names()
    for name, default in known.items():
        if default is not None:
            assert shown[name] == (str(default).lower() if default is False else f"{default}"), name
    lines = text.splitlines()
    explained = [lines[at - 1].startswith("# ") for at, line in enumerate(lines) if re.match(r"#[A-Z_]+=", line)]
    assert all(explained)


def test_the_table_of_settings_has_every_variable() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = text.split("## Settings")[1].split("\n## ")[0]
    shown = set(re.findall(r"`([A-Z]+_[A-Z_]+)`", section))
    assert shown == set(environment_names()) | command_names()


def log_lines() -> set[str]:
    """The names under which the code logs."""
    source = [
        path.read_text(encoding="utf-8") for part in ("services", "shared") for path in (ROOT / part).rglob("*.py")
    ]
    calls = re.compile(r'_log\.(?:info|warning|error)\(\s*"([^"]+)"')
    return {name for text in source for name in calls.findall(text)} | {"library_said"}  # shared/logs.py, by level


def test_the_table_of_log_lines_has_every_line() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = text.split("| line | means |\n|---|---|\n")[1].split("\n\n")[0]
    shown = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split(" | ")[0])}
    assert shown == log_lines() - {"more_events_rejected"}  # which stands beside event_rejected


def commands(of: typer.Typer, before: str) -> set[str]:
    found = {f"{before} {one.name or one.callback.__name__}" for one in of.registered_commands if one.callback}
    return found.union(*(commands(group.typer_instance, f"{before} {group.name}") for group in of.registered_groups))


def test_the_table_of_commands_has_every_command() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = text.split("| command | what it does |\n|---|---|\n")[1].split("\n\n")[0]
    named = " ".join(re.findall(r"`([^`]+)`", " ".join(row.split(" | ")[0] for row in table.splitlines())))
    assert not [name for name in commands(app, "petla") if name.split()[-1] not in named.split()]


def test_the_table_of_loops_has_every_loop() -> None:
    source = [path.read_text(encoding="utf-8") for path in (ROOT / "services").rglob("*.py")]
    named = [name for text in source for name in re.findall(r'\b(?:Loop|_looping)\(f?"([^"]+)"', text)]
    of_alerts = re.findall(r'_add_loop\("(\w+)"', (ROOT / "services" / "alerts" / "app.py").read_text(encoding="utf-8"))
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text.split("| loop | pass |\n|---|---|\n")[1].split("\n\n")[0]
    shown = {name for row in table.splitlines() for name in re.findall(r"`([\w.]+)`", row.split(" | ")[0])}
    wanted = {name.replace("{name}", "NAME") for name in named} | {f"alerts.{name}" for name in of_alerts}
    assert shown == wanted - {"alerts.NAME"}


def test_every_promise_is_told() -> None:
    text = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (P\d+) ", text, re.MULTILINE) == [f"P{number}" for number in range(1, 11)]


def curls() -> list[list[str]]:
    """The words of every curl in the README."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    return [shlex.split(block) for block in blocks if block.startswith("curl ")]


def send(words: list[str], installation_url: str, key: str) -> httpx.Response:
    url, *options = words[1:]
    headers = [options[at + 1].replace("$KEY", key).split(": ", 1) for at, word in enumerate(options) if word == "-H"]
    body = options[options.index("-d") + 1] if "-d" in options else None
    method = "GET" if body is None else "POST"
    address = url.replace("http://127.0.0.1:8080", installation_url)
    content = None if body is None else body.encode()
    return httpx.request(method, address, headers=dict(headers), content=content, trust_env=False)


@pytest.mark.slow
def test_the_curl_of_the_readme_opens_a_follow_up() -> None:
    post, get = curls()
    with temporary_installation() as installation:
        url = installation.up().url
        key = installation.create_key("events:write", "followups:read")["key"]
        for _ in range(2):  # sending it again changes nothing
            assert send(post, url, key).status_code == 202
        found = until(lambda: send(get, url, key).json()["items"] or None, 20, "the follow-up")
    assert [(one["state"], one["customer"], one["score"]) for one in found] == [("new", "c-1", 3.0)]


def of_the_demo(line: str) -> str:
    """A line of the README's excerpt."""
    block = re.search(r"```text\n(The loop.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert block
    found = re.search(rf"^{line} +(.*)$", block[1], re.MULTILINE)
    assert found
    return found[1]


@pytest.mark.slow
def test_the_demo_of_the_readme_is_the_one_that_runs() -> None:
    with temporary_installation() as installation:
        played = installation.command(
            "demo", "--seed", "1", "--events", "2000", "--exit", "--json", "--port", str(free_port()), seconds=120
        )
    assert played.returncode == 0, played.stderr
    told = json.loads(played.stdout.splitlines()[-1])
    nps = told["nps"]
    assert of_the_demo("received").startswith(f"{told['sent']:,} ")
    assert of_the_demo("scored").startswith(f"{told['scored']} ")
    low, high = nps["interval"]["low"], nps["interval"]["high"]
    assert of_the_demo("NPS") == f"{nps['value']:+.1f}  between {low:+.1f} and {high:+.1f} (95 %), n = {nps['n']}"
