"""Which sources there are: of the API (`petla.config`), else of the user's folder, else built in; each compiled once.

A document that was refused is never in force; one in `petla.config` that this version cannot compile leaves the source
without rules, and says so.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import structlog
from starlette.responses import Response

from services.ingest.mapping import MappingError
from services.ingest.sources import FOLDER
from services.ingest.webhooks import stored
from services.ingest.webhooks.document import SourceDocument, compile_source
from services.ingest.webhooks.replies import answer
from services.ingest.webhooks.stored import StoredSource
from services.ingest.webhooks.verification import Knows, Verifier
from shared.config import ConfigStore
from shared.sealing import Sealing

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
Origin = Literal["built in", "folder", "api"]
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Source:
    """A document in force with its secrets. `text` is its YAML; `secrets` how many are in force; `answer` is given to
    every delivery that could be read.
    """

    document: SourceDocument
    origin: Origin
    text: str
    secrets: int
    verifier: Verifier
    answer: Response


@dataclass(frozen=True)
class _Text:
    origin: Origin
    file: str
    yaml: str


class Sources:
    """`environment` has `PETLA_SOURCE_NAME_SECRET`; `folder` the user's own documents: `MappingError` for a mistake."""

    def __init__(
        self,
        config: ConfigStore,
        sealing: Sealing,
        event_types: Sequence[str],
        environment: Mapping[str, str],
        knows: Knows,
        folder: Path | None = None,
    ) -> None:
        self._config = config
        self._sealing = sealing
        self._event_types = event_types
        self._environment = environment
        self._knows = knows
        self._files = files(folder)
        self._compiled: dict[_Text, SourceDocument] = {}
        self._made: dict[str, tuple[dict[str, Any] | None, datetime | None, Source | None]] = {}
        for name, text in self._files.items():
            if text.origin == "folder":
                self._check_name(name, text)

    @property
    def are_all_known(self) -> bool:
        """The configuration was read whole: what is not known here does not exist."""
        return self._config.is_complete

    def names(self) -> list[str]:
        added = [key.removeprefix(stored.PREFIX) for key, _ in self._config.items(stored.PREFIX)]
        return sorted(name for name in {*self._files, *added} if self._text(name) is not None)

    def get(self, name: str, now: datetime) -> Source | None:
        """None where there is no such source. The same object until something about it changes."""
        value = self._config.get(stored.PREFIX + name)
        made = self._made.get(name)
        if made is not None and made[0] is value and (made[1] is None or now < made[1]):
            return made[2]
        if not NAME.fullmatch(name) or (value is None and name not in self._files):
            return None
        source, ends = self._make(name, value, now)
        self._made[name] = (value, ends, source)
        return source

    def built_in(self, name: str) -> str | None:
        """The YAML that `like` may name: built in, or of the user's folder."""
        found = self._files.get(name)
        return found.yaml if found else None

    def version(self, name: str) -> int:
        """The highest that a document of this name had here; a new one is made higher."""
        kept = stored.read(self._config.get(stored.PREFIX + name))
        text = self._files.get(name)
        return max(kept.version if kept else 0, self._compile(name, text).version if text else 0)

    def _make(self, name: str, value: dict[str, Any] | None, now: datetime) -> tuple[Source | None, datetime | None]:
        text = self._text(name)
        if text is None:
            return None, None
        kept = stored.read(value) or StoredSource()
        try:
            document = self._compile(name, text, kept.version if text.origin == "api" else None)
        except MappingError as error:
            _log.error("source_not_compiled", source=name, reason=error.reason)
            return None, None
        secrets, ends = self._secrets(name, kept, now)
        verifier = Verifier(document.schemes, secrets, self._knows)
        said = answer(document.answer)
        return Source(document, text.origin, text.yaml, len(secrets), verifier, said), min(ends, default=None)

    def verifier(self, document: SourceDocument, now: datetime) -> Verifier:
        """Of another document, with the secrets of the source of its name."""
        kept = stored.read(self._config.get(stored.PREFIX + document.name)) or StoredSource()
        return Verifier(document.schemes, self._secrets(document.name, kept, now)[0], self._knows)

    def _secrets(self, name: str, kept: StoredSource, now: datetime) -> tuple[list[str], list[datetime]]:
        secrets, ends, unreadable = stored.opened(kept, self._sealing, now)
        if unreadable:
            _log.error("source_secrets_not_readable", source=name, count=unreadable)
        return [*environment_secrets(self._environment, name), *secrets], ends

    def _text(self, name: str) -> _Text | None:
        kept = stored.read(self._config.get(stored.PREFIX + name))
        if kept is not None and not kept.deleted:
            if kept.document is not None:
                return _Text("api", f"source/{name}", kept.document)
            if kept.like is not None and kept.like in self._files:
                return _Text("api", f"{kept.like}.yaml", self._files[kept.like].yaml)
        return self._files.get(name)

    def _check_name(self, name: str, text: _Text) -> None:
        self._compile(name, text)
        if self._compiled[text].name != name:
            raise MappingError(text.file, 1, f"`source` is {self._compiled[text].name!r}: name it as its file, {name}")

    def _compile(self, name: str, text: _Text, version: int | None = None) -> SourceDocument:
        if text not in self._compiled:
            self._compiled[text] = compile_source(text.yaml, text.file, self._event_types)
        return self._compiled[text].named(name, version)


def files(folder: Path | None) -> dict[str, _Text]:
    """By name: the built-in ones, and the user's in their place. Raises `MappingError`, OSError."""
    found = {path.stem: _Text("built in", path.name, _read(path)) for path in sorted(FOLDER.glob("*.yaml"))}
    for path in sorted(folder.glob("*.yaml")) if folder else ():
        if not NAME.fullmatch(path.stem):
            raise MappingError(str(path), 1, "a source's file is named as its source: small letters, digits, - and _")
        found[path.stem] = _Text("folder", str(path), _read(path))
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise MappingError(str(path), 1, "not UTF-8: save the document as UTF-8") from None


def environment_secrets(environment: Mapping[str, str], name: str) -> list[str]:
    """`PETLA_SOURCE_NAME_SECRET`, and `…_OLD` while it is being rotated."""
    variable = f"PETLA_SOURCE_{name.upper().replace('-', '_')}_SECRET"
    return [value for suffix in ("", "_OLD") if (value := environment.get(variable + suffix, "").strip())]
