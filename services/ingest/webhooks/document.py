"""A source's document, compiled: `verify`, `handshake`, `idempotency`, `revision`, `rules`, `answer`.

Every mistake is refused here, with its line; what is compiled costs a delivery bounded work, whatever it holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from services.ingest.mapping.document import compile_tables, compile_zone
from services.ingest.mapping.expressions import Expression
from services.ingest.mapping.functions import Functions, Surroundings
from services.ingest.mapping.located import read_yaml
from services.ingest.mapping.reading import Parts, together
from services.ingest.mapping.rules import Context, Ignore, Rule, compile_rules
from services.ingest.mapping.sections import Section
from services.ingest.mapping.straight import Straight, straight
from services.ingest.webhooks import schema
from services.ingest.webhooks.bodies import ReadJson, ReadParts, parts_reader, reader_of
from services.ingest.webhooks.handshakes import Handshake, Reply, compile_handshakes
from services.ingest.webhooks.schemes import Scheme, compile_verify
from shared.events.catalogue import SOURCE_TYPES

LARGEST_VERSION = 999
_TAKEN = 202


@dataclass(frozen=True)
class SourceDocument:
    """`body` and `read_json` as `read_body` takes them. `is_read_by_field`: no rule looks at all there is at once.

    `rules` give the sender's revisions, to which `version` is yet to be added.
    """

    name: str
    version: int
    about: str
    schemes: tuple[Scheme, ...]
    handshakes: tuple[Handshake, ...]
    body: str
    idempotency: Expression | None
    rules: tuple[Rule | Ignore, ...]
    context: Context
    answer: Reply
    read_json: ReadJson
    is_read_by_field: bool
    read_parts: ReadParts
    straight: Straight | None

    def named(self, name: str, version: int | None) -> "SourceDocument":
        """The same for another address, or in another version; its events then come from there."""
        if name == self.name and version in (None, self.version):
            return self
        source = self.context.source
        own = replace(self.context, source=f"/{name}" if source == f"/{self.name}" else source)
        return replace(self, name=name, version=version or self.version, context=own)


def compile_source(text: str, file: str, event_types: Sequence[str]) -> SourceDocument:
    """`file` is the name that messages carry. Raises `MappingError`."""
    content = read_yaml(text, file)
    section = Section("the document", content)
    schema.check(content)
    surroundings = Surroundings(compile_zone(section), compile_tables(section))
    functions = Functions(surroundings)
    expression = partial(Expression, functions=functions)
    plain = content.plain()
    own = plain["source"]
    revision = section.expression("revision", expression) if section.has("revision") else None
    source = plain.get("ce_source", f"/{own}")
    schemes, handshakes = compile_verify(content.value["verify"]), compile_handshakes(section, expression)
    idempotency = section.expression("idempotency", expression) if section.has("idempotency") else None
    rules = compile_rules(section, (*event_types, *SOURCE_TYPES), expression)
    parts = _parts_read(rules, idempotency, revision)
    context, body = Context(source, frozenset(event_types), revision), _body(plain.get("body", "json"))
    return SourceDocument(
        name=own,
        version=plain.get("version", 1),
        about=plain.get("about", ""),
        schemes=schemes,
        handshakes=handshakes,
        body=body,
        idempotency=idempotency,
        rules=rules,
        context=context,
        answer=_answer(plain.get("answer", {})),
        read_json=reader_of(parts),
        is_read_by_field=isinstance(parts, Mapping),
        read_parts=parts_reader(parts),
        straight=straight(rules, context, idempotency, functions, parts) if body == "json" else None,
    )


def _parts_read(rules: Sequence[Rule | Ignore], *others: Expression | None) -> Parts:
    """What of a body all expressions together look at."""
    of_rules = [expression for rule in rules for expression in rule.expressions]
    return together(expression.parts for expression in (*of_rules, *others) if expression is not None)


def _body(value: Any) -> str:
    return value if isinstance(value, str) else f"form_field:{value['form_field']}"


def _answer(plain: dict[str, Any]) -> Reply:
    text = plain.get("text", "")
    media = plain.get("media", "text/plain; charset=utf-8" if text else "")
    return Reply(plain.get("status", _TAKEN), {}, text.encode(), media)
