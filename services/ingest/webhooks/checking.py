"""`petla sources check`: a document and a delivery in files, looked at without a server."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import structs

from services.ingest.mapping import MappingError
from services.ingest.sources import FOLDER
from services.ingest.webhooks.document import SourceDocument, compile_source
from services.ingest.webhooks.explaining import Explanation, explain
from services.ingest.webhooks.registry import environment_secrets
from services.ingest.webhooks.request import Request
from services.ingest.webhooks.verification import Verifier
from shared.events.catalogue import ACCEPTED_TYPES

_KEY = "petla_"


class CheckError(Exception):
    """What is wrong with the call, or with the document, in one sentence."""


@dataclass(frozen=True)
class Check:
    """`source` is a file, or the name of a built-in source; `headers` a file of JSON or of lines `Name: value`."""

    source: str
    payload: Path
    headers: Path | None
    secrets: Sequence[str]
    url: str | None
    at: datetime


def check(asked: Check, environment: Mapping[str, str]) -> Explanation:
    """Raises `CheckError`."""
    document = _document(asked.source)
    secrets = [*asked.secrets, *environment_secrets(environment, document.name)]
    verifier = Verifier(document.schemes, secrets, lambda key: key.startswith(_KEY))
    url = asked.url or f"http://localhost/webhooks/{document.name}"
    headers = _headers(asked.headers) if asked.headers else {}
    told = explain(document, verifier, Request("POST", url, headers, _read(asked.payload)), asked.at)
    return told if asked.headers else structs.replace(told, verified=None)


def _document(source: str) -> SourceDocument:
    path = Path(source)
    if not path.exists() and (FOLDER / f"{source}.yaml").exists():
        path = FOLDER / f"{source}.yaml"
    try:
        return compile_source(_read(path).decode("utf-8-sig"), str(path), ACCEPTED_TYPES)
    except UnicodeDecodeError:
        raise CheckError(f"{path}: not UTF-8: save the document as UTF-8") from None
    except MappingError as error:
        raise CheckError(str(error)) from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckError(f"{path} cannot be read: {error.strerror}") from None


def _headers(path: Path) -> dict[str, str]:
    text = _read(path).decode("latin-1")
    try:
        pairs = json.loads(text).items() if text.lstrip().startswith("{") else _lines(text)
        return {str(name).strip().lower(): str(value).strip() for name, value in pairs}
    except (ValueError, RecursionError):
        raise CheckError(f"{path}: write the headers as a JSON object, or a line each: `Name: value`") from None


def _lines(text: str) -> list[tuple[str, str]]:
    found = [line.partition(":") for line in text.splitlines() if line.strip()]
    if any(not mark for _, mark, _ in found):
        raise ValueError
    return [(name, value) for name, _, value in found]


def told(explanation: Explanation) -> str:
    """For a terminal."""
    lines = [f"{explanation.source}, version {explanation.version}", "", "verification"]
    for number, steps in enumerate(explanation.verification, start=1):
        if len(explanation.verification) > 1:
            lines.append(f"  scheme {number}")
        lines += [f"  {'ok  ' if step.ok else 'FAIL'}  {step.name}: {step.detail}" for step in steps]
    verdict = {
        True: "the sender's",
        False: "NOT the sender's",
        None: "not looked at: that takes --headers and a secret",
    }
    lines += [f"  → {verdict[explanation.verified]}", "", "rules"]
    for rule in explanation.rules:
        state = f"{rule.events} events" if rule.holds else "does not apply"
        lines.append(f"  {rule.rule}. {rule.does}: {state}{''.join(f'; {reason}' for reason in rule.ignored)}")
        lines += [f"     FAIL  {error}" for error in rule.errors]
    outcome = explanation.outcome + (f" ({explanation.reason})" if explanation.reason else "")
    lines += [f"  → {outcome}", *(f"  FAIL  {error}" for error in explanation.errors), "", "events"]
    lines += [msgspec.json.format(msgspec.json.encode(event)).decode() for event in explanation.events] or ["  none"]
    return "\n".join(lines)
