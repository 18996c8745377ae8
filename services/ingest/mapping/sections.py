"""A part of the document whose keys and types are asked for by name; each wrong answer points at its line."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.ingest.mapping.expressions import Expression, ExpressionError
from services.ingest.mapping.located import Located, MappingError, suggest

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Section:
    """The keys under `name` (the document itself: "the mapping"). Every method raises `MappingError`."""

    name: str
    content: Located

    def __post_init__(self) -> None:
        if not isinstance(self.content.value, dict):
            raise self.content.mistake(f"{self.name} must be keys and values, such as `key: value`")

    def expect(self, required: Iterable[str], optional: Iterable[str]) -> None:
        """Refuse keys that are not known, then name the first one that is missing."""
        wanted, known = tuple(required), (*required, *optional)
        for key in self.content.value:
            if key not in known:
                raise self.mistake(key, f"{self.name} has no key {key[:40]!r}: {suggest(key, known)}")
        for key in wanted:
            if key not in self.content.value:
                raise self.content.mistake(f"{self.name} has no {key}: add `{key}: …`")

    def has(self, key: str) -> bool:
        return key in self.content.value

    def names(self) -> "Sequence[str]":
        return tuple(self.content.value)

    def mistake(self, key: str, reason: str) -> MappingError:
        return self.content.mistake_at(key, reason)

    def text(self, key: str) -> str:
        entry: Located = self.content.value[key]
        if not isinstance(entry.value, str) or not entry.value.strip():
            raise self.mistake(key, f"{key} must be text, in quotes")
        return entry.value

    def choice(self, key: str, known: Collection[str], what: str) -> str:
        text = self.text(key)
        if text not in known:
            raise self.mistake(key, f"{text[:60]!r} is no {what}: {suggest(text, known)}")
        return text

    def expression(self, key: str, compile_expression: Callable[[str], Expression]) -> Expression:
        entry: Located = self.content.value[key]
        if not isinstance(entry.value, str) or not entry.value.strip():
            raise self.mistake(key, f'{key} must be a JMESPath expression as text (a constant is "\'text\'" or "`5`")')
        try:
            return compile_expression(entry.value)
        except ExpressionError as error:
            raise entry.mistake(f"{key}: {error}") from None

    def section(self, key: str) -> "Section":
        return Section(key, self.content.value[key])

    def sections(self, key: str) -> "list[Section]":
        entry: Located = self.content.value[key]
        if not isinstance(entry.value, list) or not entry.value:
            raise self.mistake(key, f"{key} must be a list with at least one entry, each beginning with `- `")
        return [Section(f"a rule under {key}", item) for item in entry.value]
