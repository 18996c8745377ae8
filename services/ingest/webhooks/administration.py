"""Sources of the API and of the command: added, changed, given secrets, removed, in `petla.config`.

Nothing is stored that could not be in force: a document is compiled first, a secret must be a key of one scheme.
"""

import base64
import secrets
from datetime import datetime
from typing import NamedTuple

import msgspec

from services.ingest.mapping import MappingError
from services.ingest.webhooks import stored
from services.ingest.webhooks.document import LARGEST_VERSION, SourceDocument, compile_source
from services.ingest.webhooks.keys import NO_SECRET, KeyUnusableError, key_of
from services.ingest.webhooks.registry import NAME, Source, Sources
from services.ingest.webhooks.schemes import Scheme
from services.ingest.webhooks.stored import StoredSource
from shared.config import ConfigStore
from shared.events.catalogue import ACCEPTED_TYPES
from shared.sealing import Sealing

_SECRET_BYTES = 32
_SHARED_KEYS = ("hmac", "digest", "token")


class SourceRefusedError(Exception):
    """Why not, in one sentence; `code` for programs, `line` where it is a mistake of the document."""

    def __init__(self, code: str, sentence: str, line: int | None = None) -> None:
        super().__init__(sentence)
        self.code = code
        self.line = line


class Wanted(NamedTuple):
    """What a source is to be: a document, or that of another (`like`), or neither for a built-in one as it is."""

    document: str | None = None
    like: str | None = None
    secret: str | None = None


class Administration:
    """Every method returns when the change is in force here; raises `SourceRefusedError` and `LogUnavailable`."""

    def __init__(self, config: ConfigStore, sources: Sources, sealing: Sealing) -> None:
        self._config = config
        self._sources = sources
        self._sealing = sealing

    async def put(self, name: str, wanted: Wanted, now: datetime) -> Source:
        """Made, or changed; a secret that is given replaces all others."""
        document = self._document(name, wanted, now)
        before = self._stored(name)
        kept = before if not before.deleted else StoredSource(version=before.version)
        if (wanted.document, wanted.like) != (None, None):
            kept = self._redocumented(name, kept, wanted, document)
        if wanted.secret is not None:
            self._check_secret(document, wanted.secret)
            sealed = stored.StoredSecret(self._sealing.seal(stored.PURPOSE, wanted.secret.encode()))
            kept = msgspec.structs.replace(kept, secrets=[sealed])
        await self._put(name, kept, now)
        return self._found(name, now)

    async def rotate(self, name: str, secret: str | None, now: datetime) -> tuple[Source, str | None]:
        """The new secret holds at once, the one before two days more. The second value is one that was made here."""
        source = self._found(name, now)
        made = None if secret is not None else new_secret(source.document)
        chosen = secret or made or ""
        self._check_secret(source.document, chosen)
        kept = self._stored(name)
        kept = kept if not kept.deleted else StoredSource(version=kept.version)
        secrets_ = stored.rotated(kept, chosen, self._sealing, now)
        await self._put(name, msgspec.structs.replace(kept, secrets=secrets_), now)
        return self._found(name, now), made

    async def remove(self, name: str, now: datetime) -> None:
        """What was given here goes, secrets too; a built-in document of the same name stays."""
        before = self._stored(name)
        if self._config.get(stored.PREFIX + name) is None or before.deleted:
            raise SourceRefusedError("unknown_source", f"there is no source {name!r} that was added")
        await self._put(name, StoredSource(version=before.version, deleted=True), now)

    def _document(self, name: str, wanted: Wanted, now: datetime) -> SourceDocument:
        if not NAME.fullmatch(name):
            raise SourceRefusedError("invalid_name", "a name has small letters, digits, - and _, at most 63 of them")
        if wanted.document is not None:
            return _compiled(name, wanted.document)
        if wanted.like is not None:
            text = self._sources.built_in(wanted.like)
            if text is None:
                raise SourceRefusedError("unknown_source", f"there is no source {wanted.like!r} to be like")
            return compile_source(text, f"{wanted.like}.yaml", ACCEPTED_TYPES)
        return self._found(name, now).document

    def _redocumented(self, name: str, kept: StoredSource, wanted: Wanted, document: SourceDocument) -> StoredSource:
        if (kept.document, kept.like) == (wanted.document, wanted.like):
            return kept
        version = max(self._sources.version(name) + 1, document.version)
        if version > LARGEST_VERSION:
            raise SourceRefusedError("too_many_versions", f"{name} has had {LARGEST_VERSION} versions: rename it")
        return msgspec.structs.replace(kept, document=wanted.document, like=wanted.like, version=version)

    def _check_secret(self, document: SourceDocument, secret: str) -> None:
        refusals = []
        for scheme in document.schemes:
            try:
                key_of(scheme, secret)
            except KeyUnusableError as error:
                refusals.append(str(error))
            else:
                return
        raise SourceRefusedError("unusable_secret", refusals[0])

    def _stored(self, name: str) -> StoredSource:
        return stored.read(self._config.get(stored.PREFIX + name)) or StoredSource()

    async def _put(self, name: str, kept: StoredSource, now: datetime) -> None:
        changed = msgspec.structs.replace(kept, changed=now.isoformat(timespec="seconds"))
        await self._config.put(stored.PREFIX + name, msgspec.to_builtins(changed))

    def _found(self, name: str, now: datetime) -> Source:
        source = self._sources.get(name, now)
        if source is None:
            raise SourceRefusedError("unknown_source", f"there is no source {name[:63]!r}")
        return source


def _compiled(name: str, text: str) -> SourceDocument:
    try:
        document = compile_source(text, "document", ACCEPTED_TYPES)
    except MappingError as error:
        raise SourceRefusedError("invalid_document", error.reason, error.line) from None
    if document.name != name:
        raise SourceRefusedError("invalid_document", f"`source` is {document.name!r}, not {name!r}: make them one", 1)
    return document


def new_secret(document: SourceDocument) -> str:
    """Of 32 random bytes, written as the document's first scheme with a shared secret has it."""
    for scheme in document.schemes:
        if scheme.kind in _SHARED_KEYS:
            return _written(scheme, secrets.token_bytes(_SECRET_BYTES))
    if all(scheme.kind == "api_key" for scheme in document.schemes):
        raise SourceRefusedError("unusable_secret", NO_SECRET)
    raise SourceRefusedError("secret_needed", "the secret of this source comes from its sender: give it")


def _written(scheme: Scheme, random: bytes) -> str:
    if scheme.spelling.encoding == "base64":
        return scheme.spelling.prefix + base64.b64encode(random).decode()
    return scheme.spelling.prefix + random.hex()
